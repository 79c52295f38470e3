// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Registering
 *
 * A register call checks its caller (struct nmr_site: the version and the sizes of the header
 * that the caller was compiled with), copies the characteristics, publishes the registration,
 * and makes the offers to the peers that came earlier. The registration can be found from the
 * moment it is published, so it may leave while the register call still makes offers.
 *
 * The functions that are written once for both sides come first. The exported functions stand
 * at the end of the file. ``<linux/nmr.h>`` has their kernel-doc.
 */
/*
 * Locking: nmr_lock while the number of attached bindings is read, and while a register call
 * drops its pin. The functions that may be called in softirqs (deregister, reoffer) do not sleep.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/freezer.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <trace/events/nmr.h>

#include "binding.h"
#include "callback.h"
#include "debug.h"

/* Set when the registrar can be used. Built-in code may register too early. */
static bool nmr_ready;

/* Log why a register call fails, once for each place that registers. */
static int nmr_refuse(struct nmr_site *site, const char *why)
{
	if (!test_and_set_bit(0, &site->told))
		pr_err("%s cannot register: %s\n", site->modname, why);
	return -EINVAL;
}

/*
 * Check that the registrar is ready, and that the caller was compiled with this header. The
 * first three members of struct nmr_site never move, so the check also recognises a caller
 * that was compiled with another header.
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
static int nmr_check(struct nmr_site *site,
		     const struct nmr_registration_instance *instance, const void *handle)
{
	if (!instance->npi_id)
		return nmr_refuse(site, "instance.npi_id is NULL");
	if (!instance->module_id)
		return nmr_refuse(site, "instance.module_id is NULL");
	if (!handle)
		return nmr_refuse(site, "the pointer to the handle is NULL");
	return 0;
}

/* Allocate a registration, and fill in what both sides have. Return: or ERR_PTR(). */
static struct nmr_registration *
nmr_prepare(enum nmr_side side, struct nmr_site *site,
	    const struct nmr_registration_instance *instance, const void *handle)
{
	struct nmr_registration *reg;
	int err = nmr_check(site, instance, handle);

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
	INIT_WORK(&reg->work, nmr_registration_work);
	INIT_WORK(&reg->reap_work, nmr_reap_work);
	lockdep_init_map(&reg->dep_map, site->modname, &site->key, 0);
	return reg;
}

/* Register @reg. The function takes over the caller's reference, also if it fails. */
static int nmr_register(struct nmr_registration *reg, u64 *handle)
{
	int err = nmr_registration_publish(reg, reg->instance.npi_id, handle);

	if (err) {
		nmr_slot_release(reg);
		nmr_registration_put(reg);
		return err;
	}
	nmr_sysfs_announce_registration(reg);
	if (reg->side == NMR_PROVIDER)
		nmr_offer_arrival(reg);
	nmr_offer_earlier(reg);

	spin_lock_irq(&nmr_lock);
	nmr_registration_unpin(reg);
	spin_unlock_irq(&nmr_lock);
	return 0;
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
	nmr_might_wait(reg);
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
	err = nmr_registration_reoffer(reg, false);
	nmr_registration_put(reg);
	return err;
}

void __init nmr_api_init(void)
{
	WRITE_ONCE(nmr_ready, true);
}

/* The API */

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
	if (c->slot && c->max_bindings > 1)
		return nmr_refuse(site, "it has a slot, and max_bindings is above 1");
	reg = nmr_prepare(NMR_CLIENT, site, &c->instance, handle);
	if (IS_ERR(reg))
		return PTR_ERR(reg);
	reg->context = client_context;
	reg->attach_provider = c->attach_provider;
	reg->detach = c->detach_provider;
	reg->cleanup = c->cleanup_binding_context;
	reg->max_bindings = c->slot ? 1 : c->max_bindings;
	reg->endpoint = c->endpoint;
	err = nmr_slot_claim(reg, c->slot);
	if (err) {
		nmr_registration_put(reg);
		return err;
	}
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
	reg = nmr_prepare(NMR_PROVIDER, site, &c->instance, handle);
	if (IS_ERR(reg))
		return PTR_ERR(reg);
	reg->context = provider_context;
	reg->attach_client = c->attach_client;
	reg->client_attached = c->client_attached;
	reg->detach = c->detach_client;
	reg->cleanup = c->cleanup_binding_context;
	reg->endpoint = c->endpoint;
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
 * Tell whether a signal that has ended the sleep of the calling task was only a request to
 * freeze. If it was, freeze, and return after the thaw. The freezer wakes a task that does not
 * sleep yet by setting its TIF_SIGPENDING, and may then give up before the task freezes. Another
 * request may follow at once, and then recalc_sigpending() leaves the flag set.
 */
static bool nmr_was_frozen(void)
{
	/* A running task keeps its own sighand. */
	struct sighand_struct *sighand = rcu_dereference_protected(current->sighand, true);

	if (!nmr_may_freeze())
		return false;
	do {
		try_to_freeze();
		spin_lock_irq(&sighand->siglock);
		recalc_sigpending();
		spin_unlock_irq(&sighand->siglock);
	} while (freezing(current));
	return !signal_pending(current);
}

/* Take the time since @begin from @timeout, unless that is infinite. */
static void nmr_spend(unsigned long *timeout, unsigned long begin)
{
	if (*timeout < MAX_SCHEDULE_TIMEOUT)
		*timeout -= min(*timeout, jiffies - begin);
}

/*
 * Wait until @reg is attached. @timeout becomes what is left of it. If a binding attached only for
 * a moment, or if the task was frozen, wait for the rest of the time.
 */
static int nmr_wait_attached(struct nmr_registration *reg, unsigned long *timeout)
{
	unsigned long begin;
	long left;
	int err;

	if (nmr_callback_in(reg))
		return -EDEADLK;
	do {
		begin = jiffies;
		left = nmr_wait_until(reg, nmr_attach_decided, TASK_INTERRUPTIBLE, *timeout);
		if (left < 0 && nmr_was_frozen())
			left = 1;
		nmr_spend(timeout, begin);
		err = nmr_attach_status(reg);
		if (err != -EAGAIN)
			return err;
	} while (left > 0);
	return left ?: -ETIMEDOUT;
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
	err = nmr_wait_attached(reg, &timeout);
	nmr_registration_put(reg);
	return err;
}
EXPORT_SYMBOL_NMR(nmr_client_wait_for_binding);

/* Wait until the client that has @slot is attached. @timeout becomes what is left of it. */
static int nmr_slot_wait(const struct nmr_slot *slot, unsigned long *timeout)
{
	struct nmr_registration *client = nmr_slot_client(slot);
	int err;

	if (!client)
		return -ESHUTDOWN;
	err = nmr_wait_attached(client, timeout);
	nmr_registration_put(client);
	return err;
}

int __nmr_slot_enter_wait(const struct nmr_slot *slot, struct nmr_call *call,
			  unsigned long timeout)
{
	int err = 0;

	might_sleep();
	if (!slot || !call)
		return -EINVAL;
	while (!err) {
		if (__nmr_slot_enter(slot, call))
			return 0;
		err = nmr_slot_wait(slot, &timeout);
	}
	return err;
}
EXPORT_SYMBOL_NMR(__nmr_slot_enter_wait);

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

/* Find a registration and have @walk call @fn for each of its peers. */
static int nmr_for_each(enum nmr_side side, u64 id, nmr_walk_fn *walk,
			nmr_call_fn *fn, void *arg)
{
	struct nmr_registration *reg;
	int err = -ESHUTDOWN;

	if (!fn)
		return -EINVAL;
	reg = nmr_registration_find(side, id);
	if (IS_ERR(reg))
		return PTR_ERR(reg);
	if (!reg)
		return -ESHUTDOWN;
	if (!READ_ONCE(reg->leaving))
		err = walk(reg, fn, arg);
	nmr_registration_put(reg);
	return err;
}

int nmr_provider_for_each_client(struct nmr_provider_handle handle, nmr_call_fn *fn,
				 void *arg)
{
	might_sleep();
	return nmr_for_each(NMR_PROVIDER, handle.id, nmr_walk, fn, arg);
}
EXPORT_SYMBOL_NMR(nmr_provider_for_each_client);

int nmr_client_for_each_provider(struct nmr_client_handle handle, nmr_call_fn *fn,
				 void *arg)
{
	might_sleep();
	return nmr_for_each(NMR_CLIENT, handle.id, nmr_walk, fn, arg);
}
EXPORT_SYMBOL_NMR(nmr_client_for_each_provider);

int nmr_provider_for_each_client_rcu(struct nmr_provider_handle handle, nmr_call_fn *fn,
				     void *arg)
{
	return nmr_for_each(NMR_PROVIDER, handle.id, nmr_walk_rcu, fn, arg);
}
EXPORT_SYMBOL_NMR(nmr_provider_for_each_client_rcu);

int nmr_client_for_each_provider_rcu(struct nmr_client_handle handle, nmr_call_fn *fn,
				     void *arg)
{
	return nmr_for_each(NMR_CLIENT, handle.id, nmr_walk_rcu, fn, arg);
}
EXPORT_SYMBOL_NMR(nmr_client_for_each_provider_rcu);
