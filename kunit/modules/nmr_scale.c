// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many clients and providers of one NPI in one module. The module registers all of
 * them when it is loaded, deregisters them when it is unloaded, and prints the cost of
 * each step. The side that leaves first deregisters all parties before it waits, as
 * promise 9 of the contract says: one grace period for all, not one for each.
 *
 * Parameters make the providers refuse all clients, or leave their detaches pending.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/nmr.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static unsigned int providers = 1;
module_param(providers, uint, 0444);
MODULE_PARM_DESC(providers, "providers to register");

static unsigned int clients = 10000;
module_param(clients, uint, 0444);
MODULE_PARM_DESC(clients, "clients to register");

static unsigned int max_bindings;
module_param(max_bindings, uint, 0444);
MODULE_PARM_DESC(max_bindings, "providers a client is bound to at most");

static bool clients_first = true;
module_param(clients_first, bool, 0444);
MODULE_PARM_DESC(clients_first, "clients register before providers");

static bool clients_leave_first = true;
module_param(clients_leave_first, bool, 0444);
MODULE_PARM_DESC(clients_leave_first, "clients leave before providers");

static int attach_error;
module_param(attach_error, int, 0444);
MODULE_PARM_DESC(attach_error, "return value of the providers' attach callbacks");

static atomic_t attached;
static atomic_t cleaned;
static struct nmr_provider_handle *provider_handles;
static struct nmr_client_handle *client_handles;

/* A provider's half of a binding, for a detach that can be pending. */
struct scale_binding {
	struct list_head node;
	struct nmr_binding *binding;
};

static LIST_HEAD(scale_pending);
static DEFINE_SPINLOCK(scale_lock);
static bool hold_detach;

static int scale_hold_detach_set(const char *val, const struct kernel_param *kp)
{
	struct scale_binding *b, *next;
	int err;

	spin_lock(&scale_lock);
	err = param_set_bool(val, kp);
	list_for_each_entry_safe(b, next, &scale_pending, node) {
		if (hold_detach)
			break;
		list_del(&b->node);
		nmr_provider_detach_client_complete(b->binding);
	}
	spin_unlock(&scale_lock);
	return err;
}

static const struct kernel_param_ops scale_hold_detach_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = scale_hold_detach_set,
	.get = param_get_bool,
};

module_param_cb(hold_detach, &scale_hold_detach_ops, &hold_detach, 0644);
MODULE_PARM_DESC(hold_detach, "detaches of the providers are pending; to be set at load");

static int scale_attached_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%d\n", atomic_read(kp->arg));
}

static const struct kernel_param_ops scale_attached_ops = {
	.get = scale_attached_get,
};

module_param_cb(attached, &scale_attached_ops, &attached, 0444);
MODULE_PARM_DESC(attached, "bindings attached so far");

static int scale_attach_provider(struct nmr_binding *binding, void *context,
				 const struct nmr_registration_instance *provider)
{
	int err = nmr_client_attach_provider(binding, NULL, NULL);

	if (!err)
		atomic_inc(&attached);
	return err;
}

static int scale_attach_client(struct nmr_binding *binding, void *context,
			       const struct nmr_registration_instance *instance,
			       const struct nmr_endpoint *client,
			       struct nmr_endpoint *provider)
{
	return attach_error;
}

static int scale_pending_attach_client(struct nmr_binding *binding, void *context,
				       const struct nmr_registration_instance *instance,
				       const struct nmr_endpoint *client,
				       struct nmr_endpoint *provider)
{
	struct scale_binding *b = kmalloc(sizeof(*b), GFP_KERNEL);

	if (!b)
		return -ENOMEM;
	b->binding = binding;
	provider->binding_context = b;
	return 0;
}

static int scale_pending_detach_client(void *context, enum nmr_detach_reason reason)
{
	struct scale_binding *b = context;
	int ret = 0;

	spin_lock(&scale_lock);
	if (hold_detach) {
		list_add_tail(&b->node, &scale_pending);
		ret = -EINPROGRESS;
	}
	spin_unlock(&scale_lock);
	return ret;
}

static void scale_pending_cleanup(void *context)
{
	kfree(context);
}

static void scale_cleanup(void *context)
{
	atomic_inc(&cleaned);
}

static const guid_t scale_id = GUID_INIT(0x6e6d7203, 0x7363, 0x616c,
					 0x80, 0, 0, 0, 0, 0, 0, 1);

static const struct nmr_client_characteristics scale_client = {
	.attach_provider = scale_attach_provider,
	.cleanup_binding_context = scale_cleanup,
	.instance = { .npi_id = &scale_id, .module_id = &scale_id },
};

static const struct nmr_provider_characteristics scale_provider = {
	.attach_client = scale_attach_client,
	.instance = { .npi_id = &scale_id, .module_id = &scale_id },
};

static const struct nmr_provider_characteristics scale_pending_provider = {
	.attach_client = scale_pending_attach_client,
	.detach_client = scale_pending_detach_client,
	.cleanup_binding_context = scale_pending_cleanup,
	.instance = { .npi_id = &scale_id, .module_id = &scale_id },
};

static void scale_say(const char *step, unsigned int n, ktime_t start)
{
	u64 ns = ktime_to_ns(ktime_sub(ktime_get(), start));

	pr_info("%s: %u %s in %llu ms, %llu ns each\n", KBUILD_MODNAME, n, step,
		div_u64(ns, NSEC_PER_MSEC), div_u64(ns, max(n, 1U)));
}

static int scale_register_clients(void)
{
	struct nmr_client_characteristics c = scale_client;
	ktime_t start = ktime_get();
	int err = 0;

	c.max_bindings = max_bindings;
	for (; !err && c.instance.number < clients; c.instance.number++) {
		err = nmr_register_client(&c, NULL,
					  &client_handles[c.instance.number]);
		cond_resched();
	}
	scale_say("clients registered", clients, start);
	return err;
}

static int scale_register_providers(void)
{
	struct nmr_provider_characteristics c = hold_detach ? scale_pending_provider :
							      scale_provider;
	ktime_t start = ktime_get();
	int err = 0;

	for (; !err && c.instance.number < providers; c.instance.number++) {
		err = nmr_register_provider(&c, NULL,
					    &provider_handles[c.instance.number]);
		cond_resched();
	}
	scale_say("providers registered", providers, start);
	return err;
}

/* Deregister all clients. The registrar ignores the handle 0 of a failed register call. */
static void scale_leave_clients(void)
{
	ktime_t start = ktime_get();
	unsigned int i;

	for (i = 0; i < clients; i++)
		nmr_deregister_client(client_handles[i]);
	for (i = 0; i < clients; i++)
		nmr_wait_for_client_deregister_complete(client_handles[i]);
	scale_say("clients gone", clients, start);
}

static void scale_leave_providers(void)
{
	ktime_t start = ktime_get();
	unsigned int i;

	for (i = 0; i < providers; i++)
		nmr_deregister_provider(provider_handles[i]);
	for (i = 0; i < providers; i++)
		nmr_wait_for_provider_deregister_complete(provider_handles[i]);
	scale_say("providers gone", providers, start);
}

static void scale_leave(void)
{
	if (clients_leave_first)
		scale_leave_clients();
	scale_leave_providers();
	if (!clients_leave_first)
		scale_leave_clients();
	pr_info("%s: %d bindings attached, %d cleaned up\n", KBUILD_MODNAME,
		atomic_read(&attached), atomic_read(&cleaned));
	kvfree(client_handles);
	kvfree(provider_handles);
}

static int scale_register(void)
{
	int err = 0;

	if (clients_first)
		err = scale_register_clients();
	if (!err)
		err = scale_register_providers();
	if (!err && !clients_first)
		err = scale_register_clients();
	return err;
}

static int __init scale_init(void)
{
	int err = -ENOMEM;

	client_handles = kvcalloc(clients, sizeof(*client_handles), GFP_KERNEL);
	provider_handles = kvcalloc(providers, sizeof(*provider_handles), GFP_KERNEL);
	if (client_handles && provider_handles)
		err = scale_register();
	if (err)
		scale_leave();
	return err;
}

static void __exit scale_exit(void)
{
	scale_leave();
}

module_init(scale_init);
module_exit(scale_exit);

MODULE_DESCRIPTION("Many clients and providers for the integration tests of nmr");
MODULE_IMPORT_NMR();
MODULE_LICENSE("GPL");
