// SPDX-License-Identifier: GPL-2.0-only
/*
 * The API of registrations: register, deregister, wait. What is written once over the
 * two sides comes first, the functions modules call are at the end.
 *
 * Locking: nmr_lock in deregister and reoffer, which may be called from softirqs; the
 * rest is process context and takes no lock of its own while it waits or calls out.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/freezer.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <trace/events/nmr.h>

#include "internal.h"

/* Set once the registrar can be used: code that is built in may register too early. */
static bool nmr_ready;

/* Tell why a register call fails, once for each place that registers. */
static int nmr_refuse(struct nmr_site *site, const char *why)
{
	if (!test_and_set_bit(0, &site->told))
		pr_err("%s cannot register: %s\n", site->modname, why);
	return -EINVAL;
}

/*
 * Check that the registrar is there, and that its caller was compiled with this header. The
 * first three members of a site never move, so the check also recognises a caller that was
 * compiled with another one.
 */
static int nmr_check_site(struct nmr_site *site, const void *characteristics, size_t size)
{
	if (!READ_ONCE(nmr_ready))
		return -ENODEV;
	if (site->version == NMR_VERSION && site->size == size)
		return characteristics ? 0 : nmr_refuse(site, "the characteristics are NULL");
	pr_err_ratelimited("%s was built with version %u of nmr.h (characteristics of %u bytes), nmr.ko with version %u (%zu bytes): build %s again\n",
			   site->modname, site->version, site->size, NMR_VERSION, size,
			   site->modname);
	return -EINVAL;
}

/* Check the arguments of a register call, of either side. */
static int nmr_check(struct nmr_site *site, const void *attach,
		     const struct nmr_registration_instance *instance, const void *handle)
{
	if (!attach)
		return nmr_refuse(site, "the attach callback is NULL");
	if (!instance->npi_id)
		return nmr_refuse(site, "instance.npi_id is NULL");
	if (!instance->module_id)
		return nmr_refuse(site, "instance.module_id is NULL");
	if (!handle)
		return nmr_refuse(site, "the pointer to the handle is NULL");
	return 0;
}

/* Return: a registration with what both sides' characteristics have, or ERR_PTR(). */
static struct nmr_registration *
nmr_prepare(enum nmr_side side, struct nmr_site *site, const void *attach,
	    const struct nmr_registration_instance *instance, const void *handle)
{
	struct nmr_registration *reg;
	int err = nmr_check(site, attach, instance, handle);

	if (err)
		return ERR_PTR(err);
	reg = nmr_registration_alloc(side);
	if (!reg)
		return ERR_PTR(-ENOMEM);
	reg->owner = site->owner;
	strscpy(reg->modname, site->modname, sizeof(reg->modname));
	guid_copy(&reg->module_id, instance->module_id);
	reg->instance = *instance;
	reg->instance.module_id = &reg->module_id;
	INIT_WORK(&reg->work, nmr_offer_work);
	lockdep_init_map(&reg->dep_map, site->modname, &site->key, 0);
	return reg;
}

/* Register @reg, and take over the caller's reference, also if it fails. */
static int nmr_register(struct nmr_registration *reg, u64 *handle)
{
	int err = nmr_registration_publish(reg, reg->instance.npi_id, handle);

	if (err) {
		nmr_registration_put(reg);
		return err;
	}
	nmr_sysfs_announce_registration(reg);
	if (reg->side == NMR_PROVIDER)
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
 * Begin to take @reg back. All gates are closed on return, also for a second, concurrent
 * caller, which therefore helps the first. Return: -EINPROGRESS for the first caller,
 * -EALREADY for any other.
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
		wake_up_all(&reg->wait);
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

/*
 * Waits. A wait lasts as long as the calls that it waits for. The task sleeps in TASK_IDLE,
 * so khungtaskd does not report it and it does not count to the load. The task is
 * freezable, or the machine could not suspend meanwhile; but not inside a callback or with
 * a lock held (as far as lockdep can tell), since a task that waits for that callback or
 * that lock could then not be frozen.
 */

static bool nmr_may_freeze(void)
{
	return !nmr_callback_in(NULL) && !lockdep_depth(current);
}

/* A timeout as the scheduler takes it. */
static long nmr_timeout(unsigned long timeout)
{
	return min_t(unsigned long, timeout, MAX_SCHEDULE_TIMEOUT);
}

/*
 * Wait until @reg is as @met wants it. Return: above 0 if it is, 0 after a timeout, below 0
 * if a signal is pending.
 */
static long nmr_wait_until(struct nmr_registration *reg,
			   bool (*met)(struct nmr_registration *reg), unsigned int state,
			   unsigned long timeout)
{
	if (nmr_may_freeze())
		state |= TASK_FREEZABLE;
	return ___wait_event(reg->wait, ___wait_cond_timeout(met(reg)), state, 0,
			     nmr_timeout(timeout), __ret = schedule_timeout(__ret));
}

static int nmr_wait_finished(struct nmr_registration *reg, unsigned long timeout)
{
	long left;

	if (!READ_ONCE(reg->leaving))
		return -EINVAL;
	if (nmr_callback_in(reg))
		return -EDEADLK;
	if (timeout)
		nmr_callback_may_wait(reg);
	left = nmr_wait_until(reg, nmr_registration_finished, TASK_IDLE, timeout);
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
		pr_err_ratelimited("handle %llu was never issued, nothing to deregister\n", id);
	if (IS_ERR_OR_NULL(reg))
		return;
	/* Tell lockdep of the wait even if @reg will have finished when it begins. */
	nmr_callback_may_wait(reg);
	nmr_leave(reg);
	if (nmr_wait_finished(reg, MAX_SCHEDULE_TIMEOUT) == -EDEADLK)
		nmr_misuse(reg, NMR_MISUSE_SYNC, 0);
	nmr_registration_put(reg);
}

static int nmr_reoffer(enum nmr_side side, u64 id)
{
	struct nmr_registration *reg = nmr_registration_find(side, id);
	int err;

	if (IS_ERR(reg))
		return PTR_ERR(reg);
	if (!reg)
		return -ESHUTDOWN;
	err = nmr_pair_reoffer(reg, false);
	nmr_registration_put(reg);
	return err;
}

#ifdef CONFIG_MODULES
/* Deregister what a module has left registered, and wait, before its text goes. */
static void nmr_rescue(struct nmr_registration *reg)
{
	bool leaving = READ_ONCE(reg->leaving);

	nmr_misuse(reg, leaving ? NMR_MISUSE_NO_WAIT : NMR_MISUSE_UNLOAD, 0);
	nmr_leave(reg);
	if (!nmr_registration_finished(reg))
		pr_warn("module %s is not unloaded before the calls and callbacks of its bindings have returned; until then loading of other modules may stall\n",
			reg->modname);
	nmr_wait_until(reg, nmr_registration_finished, TASK_IDLE, MAX_SCHEDULE_TIMEOUT);
}

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
		nmr_rescue(reg);
		nmr_registration_put(reg);
	}
	return NOTIFY_OK;
}

/* Runs first: jump labels and tracepoints must know the module while callbacks run. */
static struct notifier_block nmr_module_notifier = {
	.notifier_call = nmr_module_event,
	.priority = INT_MAX,
};

static int __init nmr_safety_net_init(void)
{
	return register_module_notifier(&nmr_module_notifier);
}

static void nmr_safety_net_exit(void)
{
	unregister_module_notifier(&nmr_module_notifier);
}
#else
static int __init nmr_safety_net_init(void)
{
	return 0;
}

static void nmr_safety_net_exit(void)
{
}
#endif

int __init nmr_registrar_init(void)
{
	int err = nmr_safety_net_init();

	if (!err)
		WRITE_ONCE(nmr_ready, true);
	return err;
}

void nmr_registrar_exit(void)
{
	nmr_safety_net_exit();
}

/* The API. <linux/nmr.h> has its kernel-doc. */

int __nmr_client_register(const struct nmr_client_characteristics *c,
			  void *client_context, struct nmr_client_handle *handle,
			  struct nmr_site *site)
{
	struct nmr_registration *reg;
	int err;

	might_sleep();
	err = nmr_check_site(site, c, sizeof(*c));
	if (err)
		return err;
	reg = nmr_prepare(NMR_CLIENT, site, c->attach_provider, &c->instance, handle);
	if (IS_ERR(reg))
		return PTR_ERR(reg);
	reg->context = client_context;
	reg->attach_provider = c->attach_provider;
	reg->detach = c->detach_provider;
	reg->cleanup = c->cleanup_binding_context;
	reg->max_bindings = c->max_bindings;
	return nmr_register(reg, &handle->id);
}
EXPORT_SYMBOL_NMR(__nmr_client_register);

int __nmr_provider_register(const struct nmr_provider_characteristics *c,
			    void *provider_context, struct nmr_provider_handle *handle,
			    struct nmr_site *site)
{
	struct nmr_registration *reg;
	int err;

	might_sleep();
	err = nmr_check_site(site, c, sizeof(*c));
	if (err)
		return err;
	reg = nmr_prepare(NMR_PROVIDER, site, c->attach_client, &c->instance, handle);
	if (IS_ERR(reg))
		return PTR_ERR(reg);
	reg->context = provider_context;
	reg->attach_client = c->attach_client;
	reg->client_attached = c->client_attached;
	reg->detach = c->detach_client;
	reg->cleanup = c->cleanup_binding_context;
	return nmr_register(reg, &handle->id);
}
EXPORT_SYMBOL_NMR(__nmr_provider_register);

int nmr_deregister_client(struct nmr_client_handle handle)
{
	return nmr_deregister(NMR_CLIENT, handle.id);
}
EXPORT_SYMBOL_NMR(nmr_deregister_client);

int nmr_deregister_provider(struct nmr_provider_handle handle)
{
	return nmr_deregister(NMR_PROVIDER, handle.id);
}
EXPORT_SYMBOL_NMR(nmr_deregister_provider);

int nmr_wait_for_client_deregister_complete(struct nmr_client_handle handle)
{
	return nmr_wait(NMR_CLIENT, handle.id, MAX_SCHEDULE_TIMEOUT);
}
EXPORT_SYMBOL_NMR(nmr_wait_for_client_deregister_complete);

int nmr_wait_for_provider_deregister_complete(struct nmr_provider_handle handle)
{
	return nmr_wait(NMR_PROVIDER, handle.id, MAX_SCHEDULE_TIMEOUT);
}
EXPORT_SYMBOL_NMR(nmr_wait_for_provider_deregister_complete);

int nmr_wait_for_client_deregister_complete_timeout(struct nmr_client_handle handle,
						    unsigned long timeout)
{
	return nmr_wait(NMR_CLIENT, handle.id, timeout);
}
EXPORT_SYMBOL_NMR(nmr_wait_for_client_deregister_complete_timeout);

int nmr_wait_for_provider_deregister_complete_timeout(struct nmr_provider_handle handle,
						      unsigned long timeout)
{
	return nmr_wait(NMR_PROVIDER, handle.id, timeout);
}
EXPORT_SYMBOL_NMR(nmr_wait_for_provider_deregister_complete_timeout);

void nmr_deregister_client_sync(struct nmr_client_handle handle)
{
	nmr_deregister_sync(NMR_CLIENT, handle.id);
}
EXPORT_SYMBOL_NMR(nmr_deregister_client_sync);

void nmr_deregister_provider_sync(struct nmr_provider_handle handle)
{
	nmr_deregister_sync(NMR_PROVIDER, handle.id);
}
EXPORT_SYMBOL_NMR(nmr_deregister_provider_sync);

/* Return: 0: attached; -ESHUTDOWN; -EAGAIN: neither attached nor leaving. */
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

static bool nmr_attach_decided(struct nmr_registration *reg)
{
	return nmr_attach_status(reg) != -EAGAIN;
}

/*
 * Tell whether the calling task, which has been told of a signal, has only been asked to
 * freeze; it has thawed since. The freezer reaches a task that has not gone to sleep yet
 * by pretending that there is a signal.
 */
static bool nmr_was_frozen(void)
{
	/* A task that runs keeps its own. */
	struct sighand_struct *sighand = rcu_dereference_protected(current->sighand, true);

	if (!nmr_may_freeze() || !try_to_freeze())
		return false;
	spin_lock_irq(&sighand->siglock);
	recalc_sigpending();
	spin_unlock_irq(&sighand->siglock);
	return true;
}

static int nmr_wait_attached(struct nmr_registration *reg, unsigned long timeout)
{
	long left;
	int err;

	if (nmr_callback_in(reg))
		return -EDEADLK;
	do {
		left = nmr_wait_until(reg, nmr_attach_decided, TASK_INTERRUPTIBLE, timeout);
		err = nmr_attach_status(reg);
		/* Attached for a moment only, or asked to freeze: go on. */
		if (left > 0)
			timeout = left;
	} while (err == -EAGAIN && (left > 0 || (left < 0 && nmr_was_frozen())));
	if (err != -EAGAIN)
		return err;
	return left < 0 ? left : -ETIMEDOUT;
}

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

int nmr_client_reoffer(struct nmr_client_handle handle)
{
	return nmr_reoffer(NMR_CLIENT, handle.id);
}
EXPORT_SYMBOL_NMR(nmr_client_reoffer);

int nmr_provider_reoffer(struct nmr_provider_handle handle)
{
	return nmr_reoffer(NMR_PROVIDER, handle.id);
}
EXPORT_SYMBOL_NMR(nmr_provider_reoffer);
