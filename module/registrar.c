// SPDX-License-Identifier: GPL-2.0
/*
 * The API of registrations: register, deregister, wait. What is written once over the
 * two sides comes first, the functions modules call are at the end.
 *
 * Locking: nmr_lock in deregister and reoffer, which may be called from softirqs; the
 * rest is process context and takes no lock of its own while it waits or calls out.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <trace/events/nmr.h>

#include "internal.h"

/* What a module registers, whichever side it is. */
struct nmr_registrant {
	const struct nmr_registration_instance *instance;
	void			*context;
	struct module		*owner;
	const char		*modname;
	struct lock_class_key	*key;
};

static bool nmr_instance_valid(const struct nmr_registration_instance *instance)
{
	return instance->npi_id && instance->module_id;
}

static void nmr_fill(struct nmr_registration *reg, const struct nmr_registrant *who)
{
	reg->owner = who->owner;
	strscpy(reg->modname, who->modname, sizeof(reg->modname));
	guid_copy(&reg->module_id, who->instance->module_id);
	reg->instance = *who->instance;
	reg->instance.module_id = &reg->module_id;
	reg->context = who->context;
	INIT_WORK(&reg->work, nmr_offer_work);
	lockdep_init_map(&reg->dep_map, who->modname, who->key, 0);
}

/* Takes the reference on @reg over, also when it fails. */
static int nmr_register(struct nmr_registration *reg, const struct nmr_registrant *who,
			u64 *handle)
{
	int err;

	nmr_fill(reg, who);
	err = nmr_registration_publish(reg, who->instance->npi_id, handle);
	if (err) {
		nmr_registration_put(reg);
		return err;
	}
	nmr_sysfs_announce_registration(reg);
	nmr_offer_arrival(reg);
	nmr_offer_earlier(reg);

	spin_lock_irq(&nmr_lock);
	nmr_registration_idle(reg);
	spin_unlock_irq(&nmr_lock);
	return 0;
}

static enum nmr_detach_reason nmr_reason(const struct nmr_registration *leaving)
{
	return leaving->side == NMR_CLIENT ? NMR_DETACH_CLIENT_DEREGISTERED :
					     NMR_DETACH_PROVIDER_DEREGISTERED;
}

/* Close some bindings, which share a grace period. Return: true if there are more. */
static bool nmr_close_some(struct nmr_registration *reg)
{
	unsigned int budget = NMR_BATCH;
	struct nmr_binding *b, *next;
	LLIST_HEAD(batch);

	list_for_each_entry_safe(b, next, &reg->open, node[reg->side]) {
		nmr_binding_close(b, nmr_reason(reg), &batch);
		if (!--budget)
			break;
	}
	nmr_bindings_detach(&batch);
	return !list_empty(&reg->open);
}

/*
 * Return: -EINPROGRESS, or -EALREADY. Whoever calls, all gates are closed then; so who
 * comes second helps with what the first has not got to.
 */
static int nmr_leave(struct nmr_registration *reg)
{
	unsigned long flags;
	bool first;

	spin_lock_irqsave(&nmr_lock, flags);
	first = !reg->leaving;
	if (first) {
		WRITE_ONCE(reg->leaving, true);
		nmr_npi_leave(reg);
		list_del_init(&reg->waiting);
		list_del_init(&reg->starved);
		wake_up_all(&reg->attach_wait);
		trace_nmr_deregister(reg->side, reg->id);
	}
	/* No binding is added any more, so each batch leaves fewer. */
	while (nmr_close_some(reg)) {
		spin_unlock_irqrestore(&nmr_lock, flags);
		spin_lock_irqsave(&nmr_lock, flags);
	}
	if (first)
		nmr_registration_idle(reg);
	spin_unlock_irqrestore(&nmr_lock, flags);
	return first ? -EINPROGRESS : -EALREADY;
}

static int nmr_deregister(enum nmr_side side, u64 id)
{
	struct nmr_registration *reg = nmr_registration_find(side, id);
	int err;

	if (IS_ERR(reg))
		return PTR_ERR(reg);
	if (!reg)
		return -EALREADY;
	err = nmr_leave(reg);
	nmr_registration_put(reg);
	return err;
}

/* A timeout as the scheduler takes it. */
static long nmr_timeout(unsigned long timeout)
{
	return min_t(unsigned long, timeout, MAX_SCHEDULE_TIMEOUT);
}

static int nmr_wait_finished(struct nmr_registration *reg, unsigned long timeout)
{
	unsigned long left;

	if (!READ_ONCE(reg->leaving))
		return -EINVAL;
	if (nmr_callback_in(reg))
		return -EDEADLK;
	if (timeout)
		nmr_callback_may_wait(reg);
	left = wait_for_completion_timeout(&reg->done, nmr_timeout(timeout));
	return left ? 0 : -ETIMEDOUT;
}

static int nmr_wait(enum nmr_side side, u64 id, unsigned long timeout)
{
	struct nmr_registration *reg;
	int err;

	might_sleep();
	reg = nmr_registration_find(side, id);
	if (IS_ERR_OR_NULL(reg))
		return PTR_ERR_OR_ZERO(reg);
	err = nmr_wait_finished(reg, timeout);
	nmr_registration_put(reg);
	return err;
}

static void nmr_deregister_sync(enum nmr_side side, u64 id)
{
	struct nmr_registration *reg;

	might_sleep();
	reg = nmr_registration_find(side, id);
	if (IS_ERR(reg))
		pr_err("handle %llu was never issued, nothing to deregister\n", id);
	if (IS_ERR_OR_NULL(reg))
		return;
	/* Also when it will have finished before there is anything to wait for. */
	nmr_callback_may_wait(reg);
	nmr_leave(reg);
	if (nmr_wait_finished(reg, MAX_SCHEDULE_TIMEOUT) == -EDEADLK)
		nmr_misuse(reg, NMR_MISUSE_SYNC, 0);
	nmr_registration_put(reg);
}

static int nmr_reoffer(enum nmr_side side, u64 id)
{
	struct nmr_registration *reg = nmr_registration_find(side, id);
	unsigned long flags;
	int err = 0;

	if (IS_ERR(reg))
		return PTR_ERR(reg);
	if (!reg)
		return -ESHUTDOWN;
	spin_lock_irqsave(&nmr_lock, flags);
	if (reg->leaving)
		err = -ESHUTDOWN;
	else
		nmr_pair_event(reg);
	spin_unlock_irqrestore(&nmr_lock, flags);
	nmr_registration_put(reg);
	return err;
}

#ifdef CONFIG_MODULES
/*
 * The safety net. A module that goes while it is registered, because its exit function
 * forgot, or its init failed after registering, must not take the text of callbacks and
 * calls with it. What its exit function has freed is lost; the notifier runs after it.
 */
static int nmr_module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct nmr_registration *reg;

	if (event != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	while ((reg = nmr_registration_of(data))) {
		nmr_misuse(reg, NMR_MISUSE_UNLOAD, 0);
		nmr_leave(reg);
		wait_for_completion(&reg->done);
		nmr_registration_put(reg);
	}
	return NOTIFY_OK;
}

static struct notifier_block nmr_module_notifier = {
	.notifier_call = nmr_module_event,
};

int __init nmr_registrar_init(void)
{
	return register_module_notifier(&nmr_module_notifier);
}

void nmr_registrar_exit(void)
{
	unregister_module_notifier(&nmr_module_notifier);
}
#else
int __init nmr_registrar_init(void)
{
	return 0;
}

void nmr_registrar_exit(void)
{
}
#endif

/* The API. nmr.h has the kernel-doc of the two macros that call these. */

int __nmr_register_client(const struct nmr_client_characteristics *c,
			  void *client_context, struct nmr_client_handle *handle,
			  struct module *owner, const char *modname,
			  struct lock_class_key *key)
{
	struct nmr_registration *reg;

	might_sleep();
	if (!c || !handle || !c->attach_provider || !nmr_instance_valid(&c->instance))
		return -EINVAL;
	reg = nmr_registration_alloc(NMR_CLIENT);
	if (!reg)
		return -ENOMEM;
	reg->attach_provider = c->attach_provider;
	reg->detach = c->detach_provider;
	reg->cleanup = c->cleanup_binding_context;
	reg->max_bindings = c->max_bindings;
	return nmr_register(reg, &(struct nmr_registrant){
		.instance = &c->instance, .context = client_context,
		.owner = owner, .modname = modname, .key = key }, &handle->id);
}
EXPORT_SYMBOL_NMR(__nmr_register_client);

int __nmr_register_provider(const struct nmr_provider_characteristics *c,
			    void *provider_context, struct nmr_provider_handle *handle,
			    struct module *owner, const char *modname,
			    struct lock_class_key *key)
{
	struct nmr_registration *reg;

	might_sleep();
	if (!c || !handle || !c->attach_client || !nmr_instance_valid(&c->instance))
		return -EINVAL;
	reg = nmr_registration_alloc(NMR_PROVIDER);
	if (!reg)
		return -ENOMEM;
	reg->attach_client = c->attach_client;
	reg->client_attached = c->client_attached;
	reg->detach = c->detach_client;
	reg->cleanup = c->cleanup_binding_context;
	return nmr_register(reg, &(struct nmr_registrant){
		.instance = &c->instance, .context = provider_context,
		.owner = owner, .modname = modname, .key = key }, &handle->id);
}
EXPORT_SYMBOL_NMR(__nmr_register_provider);

/**
 * nmr_deregister_client() - begin to take a client back
 * @handle: the client
 *
 * No call of either side that begins after this has returned can enter a binding of the
 * client, and no new offer of it begins. The rest happens on the registrar's workqueue: wait
 * for it with nmr_wait_for_client_deregister_complete(). Cost: linear in the client's
 * bindings; allocates nothing.
 *
 * Context: Task or softirq. Never sleeps.
 * Return: -EINPROGRESS: started, always wait for it; -EALREADY: started or finished
 * earlier; -EINVAL: the handle was never issued.
 */
int nmr_deregister_client(struct nmr_client_handle handle)
{
	return nmr_deregister(NMR_CLIENT, handle.id);
}
EXPORT_SYMBOL_NMR(nmr_deregister_client);

/**
 * nmr_deregister_provider() - begin to take a provider back
 * @handle: the provider
 *
 * As nmr_deregister_client().
 *
 * Context: Task or softirq. Never sleeps.
 * Return: -EINPROGRESS, -EALREADY or -EINVAL, as nmr_deregister_client().
 */
int nmr_deregister_provider(struct nmr_provider_handle handle)
{
	return nmr_deregister(NMR_PROVIDER, handle.id);
}
EXPORT_SYMBOL_NMR(nmr_deregister_provider);

/**
 * nmr_wait_for_client_deregister_complete() - wait until nothing of a client is left
 * @handle: the client, deregistered
 *
 * After 0 no callback of the client runs or will ever run, and nothing of it is left in
 * sysfs. May be called any number of times, also by several tasks. May be called inside
 * callbacks of other registrations, by up to 500 of them at once: each occupies a worker.
 *
 * Context: Process context, sleeps, uninterruptibly. Hold no lock that a callback of
 * the client's bindings, or a call in flight, needs to end.
 * Return: 0; -EINVAL: never issued, or not deregistered yet; -EDEADLK: the calling task
 * is inside a callback of a binding of this client, whichever side's.
 */
int nmr_wait_for_client_deregister_complete(struct nmr_client_handle handle)
{
	return nmr_wait(NMR_CLIENT, handle.id, MAX_SCHEDULE_TIMEOUT);
}
EXPORT_SYMBOL_NMR(nmr_wait_for_client_deregister_complete);

/**
 * nmr_wait_for_provider_deregister_complete() - wait until nothing of a provider is left
 * @handle: the provider, deregistered
 *
 * As nmr_wait_for_client_deregister_complete().
 *
 * Context: Process context, sleeps, uninterruptibly.
 * Return: 0, -EINVAL or -EDEADLK, as nmr_wait_for_client_deregister_complete().
 */
int nmr_wait_for_provider_deregister_complete(struct nmr_provider_handle handle)
{
	return nmr_wait(NMR_PROVIDER, handle.id, MAX_SCHEDULE_TIMEOUT);
}
EXPORT_SYMBOL_NMR(nmr_wait_for_provider_deregister_complete);

/**
 * nmr_wait_for_client_deregister_complete_timeout() - the same, for a limited time
 * @handle:  the client, deregistered
 * @timeout: how long, in jiffies; 0 looks and does not wait
 *
 * Context: Process context, sleeps, uninterruptibly.
 * Return: as nmr_wait_for_client_deregister_complete(), or -ETIMEDOUT: not yet; it may
 * be called again.
 */
int nmr_wait_for_client_deregister_complete_timeout(struct nmr_client_handle handle,
						    unsigned long timeout)
{
	return nmr_wait(NMR_CLIENT, handle.id, timeout);
}
EXPORT_SYMBOL_NMR(nmr_wait_for_client_deregister_complete_timeout);

/**
 * nmr_wait_for_provider_deregister_complete_timeout() - the same, for a limited time
 * @handle:  the provider, deregistered
 * @timeout: how long, in jiffies; 0 looks and does not wait
 *
 * Context: Process context, sleeps, uninterruptibly.
 * Return: as nmr_wait_for_provider_deregister_complete(), or -ETIMEDOUT: not yet; it
 * may be called again.
 */
int nmr_wait_for_provider_deregister_complete_timeout(struct nmr_provider_handle handle,
						      unsigned long timeout)
{
	return nmr_wait(NMR_PROVIDER, handle.id, timeout);
}
EXPORT_SYMBOL_NMR(nmr_wait_for_provider_deregister_complete_timeout);

/**
 * nmr_deregister_client_sync() - take a client back, all of it
 * @handle: the client
 *
 * nmr_deregister_client(), then nmr_wait_for_client_deregister_complete(); what a
 * module_exit() calls first. Fine if the client was deregistered before. Inside a
 * callback of one of the client's bindings it cannot wait: it warns, and returns with
 * the deregistration started.
 *
 * Context: Process context, sleeps, uninterruptibly.
 */
void nmr_deregister_client_sync(struct nmr_client_handle handle)
{
	nmr_deregister_sync(NMR_CLIENT, handle.id);
}
EXPORT_SYMBOL_NMR(nmr_deregister_client_sync);

/**
 * nmr_deregister_provider_sync() - take a provider back, all of it
 * @handle: the provider
 *
 * As nmr_deregister_client_sync().
 *
 * Context: Process context, sleeps, uninterruptibly.
 */
void nmr_deregister_provider_sync(struct nmr_provider_handle handle)
{
	nmr_deregister_sync(NMR_PROVIDER, handle.id);
}
EXPORT_SYMBOL_NMR(nmr_deregister_provider_sync);

/* Return: 0, -ESHUTDOWN, or -EAGAIN: neither attached nor leaving. */
static int nmr_attach_status(struct nmr_registration *reg)
{
	int err = 0;

	spin_lock_irq(&nmr_lock);
	if (reg->leaving)
		err = -ESHUTDOWN;
	else if (!reg->attached)
		err = -EAGAIN;
	spin_unlock_irq(&nmr_lock);
	return err;
}

static int nmr_wait_attached(struct nmr_registration *reg, unsigned long timeout)
{
	long left;
	int err;

	if (nmr_callback_in(reg))
		return -EDEADLK;
	left = wait_event_interruptible_timeout(reg->attach_wait,
						(err = nmr_attach_status(reg)) != -EAGAIN,
						nmr_timeout(timeout));
	if (err != -EAGAIN)
		return err;
	return left < 0 ? left : -ETIMEDOUT;
}

/**
 * nmr_client_wait_for_binding() - wait until a client has a provider
 * @handle:  the client
 * @timeout: how long, in jiffies; 0 looks and does not wait
 *
 * Context: Process context, sleeps, interruptibly.
 * Return: 0: attached to at least one provider; -ETIMEDOUT; -ESHUTDOWN: the client is
 * deregistering or finished, also if it still is attached; -ERESTARTSYS: a signal came
 * first; -EDEADLK: inside a callback of a binding of this client, also if it already is
 * attached to another; -EINVAL: never issued.
 */
int nmr_client_wait_for_binding(struct nmr_client_handle handle, unsigned long timeout)
{
	struct nmr_registration *reg;
	int err;

	might_sleep();
	reg = nmr_registration_find(NMR_CLIENT, handle.id);
	if (IS_ERR(reg))
		return PTR_ERR(reg);
	if (!reg)
		return -ESHUTDOWN;
	err = nmr_wait_attached(reg, timeout);
	nmr_registration_put(reg);
	return err;
}
EXPORT_SYMBOL_NMR(nmr_client_wait_for_binding);

/**
 * nmr_client_reoffer() - offer a client its deferred providers again
 * @handle: the client
 *
 * Those whose attach ended with -EPROBE_DEFER, or whose binding with
 * %NMR_DETACH_FALLBACK. The offers follow on the registrar's workqueue.
 *
 * Context: Task or softirq. Never sleeps.
 * Return: 0; -EINVAL: never issued; -ESHUTDOWN: deregistering or finished.
 */
int nmr_client_reoffer(struct nmr_client_handle handle)
{
	return nmr_reoffer(NMR_CLIENT, handle.id);
}
EXPORT_SYMBOL_NMR(nmr_client_reoffer);

/**
 * nmr_provider_reoffer() - offer a provider to its deferred clients again
 * @handle: the provider
 *
 * As nmr_client_reoffer(): for a provider that said -EPROBE_DEFER and now is ready.
 *
 * Context: Task or softirq. Never sleeps.
 * Return: 0; -EINVAL: never issued; -ESHUTDOWN: deregistering or finished.
 */
int nmr_provider_reoffer(struct nmr_provider_handle handle)
{
	return nmr_reoffer(NMR_PROVIDER, handle.id);
}
EXPORT_SYMBOL_NMR(nmr_provider_reoffer);
