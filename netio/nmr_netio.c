// SPDX-License-Identifier: GPL-2.0-only
/*
 * The documented interface of the Windows registrar, as a layer over <linux/nmr.h>.
 *
 * A registration handle is the number that nmr.ko has given to the registration, and the side. It
 * is never used again, and never dereferenced. A registration is freed when nmr.ko has finished
 * with it. A wait, the register call and the module notifier may all see that: the one that takes
 * the registration out of the table frees it.
 *
 * Each side of a binding has a &struct netio_bind from its attach callback to its cleanup
 * callback. A binding handle points to it, and nmr.ko passes it to the callbacks here. The peer is
 * handed the context of the module, so a ported and a native module can be bound to each other.
 *
 * Locking: netio_lock, a leaf, in process context only. Deregister and complete take no lock.
 */

#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/workqueue.h>

#include <nmr/netioddk.h>

#include "../module/compat.h"
#include "netio.h"

#define NETIO_MAGIC	0x6e6d7204	/* and the side */

/* A ported module that is registered. All that it has handed over is copied. */
struct netio_reg {
	union {		/* The two have the same layout. */
		NPI_CLIENT_CHARACTERISTICS	client;
		NPI_PROVIDER_CHARACTERISTICS	provider;
	};
	NPIID			npi_id;
	NPI_MODULEID		module_id;
	PVOID			context;
	enum nmr_side		side;
	struct module		*owner;		/* only compared */
	union {
		u64				id;
		struct nmr_client_handle	as_client;
		struct nmr_provider_handle	as_provider;
	};
	struct delayed_work	retry;		/* of offers that an allocation failure deferred */
	HANDLE			*variable;	/* written under netio_lock: of the register call */
	struct hlist_node	node;		/* netio_lock: in netio_regs */
};

enum netio_state {
	NETIO_IDLE,
	NETIO_EARLY,	/* complete was called before the detach callback */
	NETIO_CALLED,	/* the detach callback was called */
};

/* What a ported module is shown of a native peer */
struct netio_peer {
	NPI_REGISTRATION_INSTANCE instance;
	NPI_MODULEID		module_id;
};

/* What a side has of a binding */
struct netio_bind {
	unsigned long		magic;		/* as long as a handle, which may be here instead */
	struct nmr_binding	*binding;	/* NmrLinuxBinding() knows that it is second */
	bool			attached;	/* a client's */
	atomic_t		state;		/* &enum netio_state */
	struct netio_reg	*reg;
	PVOID			context;	/* for the module's callbacks */
	struct rcu_head		rcu;
	struct netio_peer	native[];	/* one, if the peer is native */
};

static_assert(offsetof(struct netio_bind, binding) == sizeof(HANDLE));

/*
 * A call of NmrClientAttachProvider(). An errno has no room for a status, so the attach callback of
 * a ported provider, which runs inside of the call, leaves its status here.
 */
struct netio_ask {
	struct list_head	node;		/* netio_lock: in netio_asks */
	struct nmr_binding	*binding;
	struct task_struct	*task;
	NTSTATUS		refusal;	/* or 0 */
};

static DEFINE_SPINLOCK(netio_lock);
static DEFINE_HASHTABLE(netio_regs, 8);
static LIST_HEAD(netio_asks);

atomic_t netio_objects = ATOMIC_INIT(0);
EXPORT_SYMBOL_NMR_IF_KUNIT(netio_objects);
module_param_named(objects, netio_objects.counter, int, 0444);
MODULE_PARM_DESC(objects, "registrations and bindings of ported modules");

/* Statuses and identities */

/* The first line of an errno, and the first line of a status, counts. */
static const struct {
	int		err;
	NTSTATUS	status;
} netio_statuses[] = {
	{ 0,			STATUS_SUCCESS },
	{ -ENODEV,		STATUS_NOINTERFACE },
	{ -ENOMEM,		STATUS_INSUFFICIENT_RESOURCES },
	{ -EINVAL,		STATUS_INVALID_PARAMETER },
	{ -EACCES,		STATUS_ACCESS_DENIED },
	{ -EPERM,		STATUS_PRIVILEGE_NOT_HELD },
	{ -EBUSY,		STATUS_DEVICE_BUSY },
	{ -EAGAIN,		STATUS_DEVICE_NOT_READY },
	{ -EOPNOTSUPP,		STATUS_NOT_SUPPORTED },
	{ -EEXIST,		STATUS_OBJECT_NAME_COLLISION },
	{ -ENOENT,		STATUS_NOT_FOUND },
	{ -ETIMEDOUT,		STATUS_IO_TIMEOUT },
	{ -EPROTONOSUPPORT,	STATUS_REVISION_MISMATCH },
	{ -EBADFD,		STATUS_INVALID_DEVICE_STATE },
	{ -EDEADLK,		STATUS_POSSIBLE_DEADLOCK },
	{ -EPROBE_DEFER,	STATUS_RETRY },
	{ -EIO,			STATUS_UNSUCCESSFUL },
	/* One way */
	{ -ECANCELED,		STATUS_NOINTERFACE },
	{ -ECANCELED,		STATUS_CANCELLED },
	{ -ENOMEM,		STATUS_NO_MEMORY },
	{ -EOPNOTSUPP,		STATUS_NOT_IMPLEMENTED },
};

static NTSTATUS netio_status(int err)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(netio_statuses); i++)
		if (netio_statuses[i].err == err)
			return netio_statuses[i].status;
	return STATUS_UNSUCCESSFUL;
}

int NmrLinuxErrno(NTSTATUS Status)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(netio_statuses); i++)
		if (netio_statuses[i].status == Status)
			return netio_statuses[i].err;
	return NT_SUCCESS(Status) ? 1 : -EIO;
}
EXPORT_SYMBOL_NMR(NmrLinuxErrno);

/* Convert a GUID to a guid_t, which has its numbers in little-endian order. */
static guid_t netio_guid(const GUID *guid)
{
	const UCHAR *d = guid->Data4;

	return GUID_INIT(guid->Data1, guid->Data2, guid->Data3,
			 d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]);
}

/* The first half of the GUID that stands for a LUID; the second is the LUID. Version 8. */
static const u8 netio_tag[] = { 0x5b, 0xe0, 0x1d, 0x93, 0x2a, 0xc7, 0x46, 0x8f };

static guid_t netio_native_module_id(PNPI_MODULEID id)
{
	guid_t native;

	if (id->Type == MIT_GUID)
		return netio_guid(&id->Guid);
	memcpy(native.b, netio_tag, sizeof(netio_tag));
	memcpy(native.b + sizeof(netio_tag), &id->IfLuid, sizeof(LUID));
	return native;
}

/* Return: the module id that a ported module is shown of a native peer. */
static NPI_MODULEID netio_module_id(const guid_t *native)
{
	NPI_MODULEID id = { .Length = sizeof(id), .Type = MIT_GUID };
	const u8 *b = native->b;

	if (!memcmp(b, netio_tag, sizeof(netio_tag))) {
		id.Type = MIT_IF_LUID;
		memcpy(&id.IfLuid, b + sizeof(netio_tag), sizeof(LUID));
		return id;
	}
	id.Guid.Data1 = (u32)b[3] << 24 | b[2] << 16 | b[1] << 8 | b[0];
	id.Guid.Data2 = b[5] << 8 | b[4];
	id.Guid.Data3 = b[7] << 8 | b[6];
	memcpy(id.Guid.Data4, b + 8, sizeof(id.Guid.Data4));
	return id;
}

/* Attach */

static int netio_attach_provider(struct nmr_binding *binding, void *context,
				 const struct nmr_registration_instance *provider);

static HANDLE netio_handle(enum nmr_side side, u64 id)
{
	return (HANDLE)(id << 1 | side);
}

/*
 * Begin an attach callback of @reg. The module finds its handle in its variable, if its register
 * call still runs. @kin is the peer, or NULL if it is native. Return: NULL: allocation failure.
 * nmr.ko makes the offer again.
 */
static struct netio_bind *netio_begin(struct netio_reg *reg, struct nmr_binding *binding,
				      const struct netio_reg *kin)
{
	struct netio_bind *bind = kzalloc(struct_size(bind, native, !kin), GFP_KERNEL);

	if (!bind) {
		schedule_delayed_work(&reg->retry, HZ);
		return NULL;
	}
	atomic_inc(&netio_objects);
	bind->binding = binding;
	bind->magic = NETIO_MAGIC + reg->side;
	bind->reg = reg;
	/* A value that is not NULL may be out of date. NULL stays NULL. */
	if (READ_ONCE(reg->variable)) {
		spin_lock(&netio_lock);
		if (reg->variable)
			*reg->variable = netio_handle(reg->side, reg->id);
		spin_unlock(&netio_lock);
	}
	return bind;
}

/* End @bind. If a module uses the handle afterwards, it gets a warning while the memory is free. */
static void netio_end(struct netio_bind *bind)
{
	WRITE_ONCE(bind->magic, 0);
	kfree_rcu(bind, rcu);
	atomic_dec(&netio_objects);
}

/* Return: the peer of @bind, as it has registered: @kin, or a native one. */
static PNPI_REGISTRATION_INSTANCE netio_peer(struct netio_bind *bind, const struct netio_reg *kin,
					     const struct nmr_registration_instance *native)
{
	struct netio_peer *peer = bind->native;

	if (kin)
		return &kin->client.ClientRegistrationInstance;
	peer->module_id = netio_module_id(native->module_id);
	peer->instance = (NPI_REGISTRATION_INSTANCE){
		.Size = sizeof(peer->instance),
		.NpiId = &bind->reg->npi_id,
		.ModuleId = &peer->module_id,
		.Number = native->number,
		.NpiSpecificCharacteristics = native->npi_specific,
	};
	return &peer->instance;
}

/* Tell a ported client of the refusal. */
static void netio_refuse(struct nmr_binding *binding, NTSTATUS status)
{
	struct netio_ask *ask;

	spin_lock(&netio_lock);
	list_for_each_entry(ask, &netio_asks, node)
		if (ask->binding == binding && ask->task == current)
			ask->refusal = status;
	spin_unlock(&netio_lock);
}

static int netio_attach_client(struct nmr_binding *binding, void *context,
			       const struct nmr_registration_instance *instance,
			       const struct nmr_endpoint *client, struct nmr_endpoint *own)
{
	struct netio_reg *reg = context;
	struct netio_reg *kin = nmr_binding_kin(binding, NMR_CLIENT, netio_attach_provider);
	struct netio_bind *bind = netio_begin(reg, binding, kin);
	NTSTATUS status;

	if (!bind)
		return -EPROBE_DEFER;
	nmr_binding_set_context(binding, NMR_PROVIDER, bind);
	status = reg->provider.ProviderAttachClient(bind, reg->context,
						    netio_peer(bind, kin, instance),
						    client->binding_context, client->dispatch,
						    &own->binding_context, &own->dispatch);
	bind->context = own->binding_context;
	if (!NT_SUCCESS(status))
		netio_refuse(binding, status);
	if (status)
		netio_end(bind);
	return NmrLinuxErrno(status);
}

static int netio_attach_provider(struct nmr_binding *binding, void *context,
				 const struct nmr_registration_instance *provider)
{
	struct netio_reg *reg = context;
	struct netio_reg *kin = nmr_binding_kin(binding, NMR_PROVIDER, netio_attach_client);
	struct netio_bind *bind = netio_begin(reg, binding, kin);
	int err;

	if (!bind)
		return -EPROBE_DEFER;
	err = NmrLinuxErrno(reg->client.ClientAttachProvider(bind, reg->context,
							     netio_peer(bind, kin, provider)));
	if (err || !bind->attached)
		netio_end(bind);
	return err;
}

/*
 * Return: what a binding handle of @side points to; or NULL, after a warning. Not inlined, so that
 * the WARN is one for all callers.
 */
static noinline struct netio_bind *netio_bind(HANDLE handle, enum nmr_side side, unsigned long ip)
{
	struct netio_bind *bind = handle;

	/* A registration handle is a small number, where no memory is. A pointer may have a tag. */
	if (virt_addr_valid(handle) && READ_ONCE(bind->magic) == NETIO_MAGIC + side)
		return bind;
	WARN_ONCE(1, "nmr_netio: %pS passes %p, which is no binding handle of a %s\n",
		  (void *)ip, handle, side == NMR_CLIENT ? "client" : "provider");
	return NULL;
}

NTSTATUS NmrClientAttachProvider(HANDLE NmrBindingHandle, PVOID ClientBindingContext,
				 CONST VOID *ClientDispatch, PVOID *ProviderBindingContext,
				 CONST VOID **ProviderDispatch)
{
	struct netio_bind *bind = netio_bind(NmrBindingHandle, NMR_CLIENT, _RET_IP_);
	struct nmr_endpoint client = { ClientBindingContext, ClientDispatch }, provider;
	struct netio_ask ask = { .task = current };
	int err;

	if (!bind || !ProviderBindingContext || !ProviderDispatch)
		return STATUS_INVALID_PARAMETER;
	ask.binding = bind->binding;
	spin_lock(&netio_lock);
	list_add(&ask.node, &netio_asks);
	spin_unlock(&netio_lock);
	err = nmr_client_attach_provider(ask.binding, &client, &provider);
	spin_lock(&netio_lock);
	list_del(&ask.node);
	spin_unlock(&netio_lock);
	if (err)
		return ask.refusal ?: netio_status(err);
	*ProviderBindingContext = provider.binding_context;
	*ProviderDispatch = provider.dispatch;
	bind->context = ClientBindingContext;
	bind->attached = true;
	nmr_binding_set_context(bind->binding, NMR_CLIENT, bind);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_NMR(NmrClientAttachProvider);

/* Detach */

static int netio_detach(void *context, enum nmr_detach_reason reason)
{
	struct netio_bind *bind = context;
	int before = atomic_xchg(&bind->state, NETIO_CALLED);
	NTSTATUS status = bind->reg->client.ClientDetachProvider(bind->context);

	if (status != STATUS_PENDING)
		return NmrLinuxErrno(status);
	return before == NETIO_EARLY ? 0 : -EINPROGRESS;
}

static void netio_cleanup(void *context)
{
	struct netio_bind *bind = context;

	if (bind->reg->client.ClientCleanupBindingContext)
		bind->reg->client.ClientCleanupBindingContext(bind->context);
	netio_end(bind);
}

/*
 * Note a complete that comes before the detach callback: nmr.ko takes it for misuse, but drivers
 * that close by themselves do it. Return: true: nmr.ko is to be told, which is the last use of
 * @bind.
 */
static bool netio_complete(struct netio_bind *bind)
{
	return bind && atomic_cmpxchg(&bind->state, NETIO_IDLE, NETIO_EARLY) != NETIO_IDLE;
}

void NmrClientDetachProviderComplete(HANDLE NmrBindingHandle)
{
	struct netio_bind *bind = netio_bind(NmrBindingHandle, NMR_CLIENT, _RET_IP_);

	if (netio_complete(bind))
		nmr_client_detach_provider_complete(bind->binding);
}
EXPORT_SYMBOL_NMR(NmrClientDetachProviderComplete);

void NmrProviderDetachClientComplete(HANDLE NmrBindingHandle)
{
	struct netio_bind *bind = netio_bind(NmrBindingHandle, NMR_PROVIDER, _RET_IP_);

	if (netio_complete(bind))
		nmr_provider_detach_client_complete(bind->binding);
}
EXPORT_SYMBOL_NMR(NmrProviderDetachClientComplete);

/* Register */

static void netio_retry(struct work_struct *work)
{
	struct netio_reg *reg = container_of(work, struct netio_reg, retry.work);

	if (reg->side == NMR_CLIENT)
		nmr_client_reoffer(reg->as_client);
	else
		nmr_provider_reoffer(reg->as_provider);
}

static bool netio_valid(PNPI_CLIENT_CHARACTERISTICS c, HANDLE *variable)
{
	PNPI_REGISTRATION_INSTANCE instance;
	PNPI_MODULEID id;

	if (!c || c->Version || c->Length < sizeof(*c) || !c->ClientAttachProvider ||
	    !c->ClientDetachProvider || !variable)
		return false;
	instance = &c->ClientRegistrationInstance;
	id = instance->ModuleId;
	return instance->Size >= sizeof(*instance) && instance->NpiId && id &&
	       id->Length >= sizeof(*id) && (id->Type == MIT_GUID || id->Type == MIT_IF_LUID);
}

/* Allocate a registration with copies of @c. Return: NULL: allocation failure. */
static struct netio_reg *netio_reg(enum nmr_side side, PNPI_CLIENT_CHARACTERISTICS c,
				   PVOID context, HANDLE *variable, struct module *owner)
{
	struct netio_reg *reg = kzalloc(sizeof(*reg), GFP_KERNEL);

	if (!reg)
		return NULL;
	atomic_inc(&netio_objects);
	reg->client = *c;
	reg->npi_id = *c->ClientRegistrationInstance.NpiId;
	reg->module_id = *c->ClientRegistrationInstance.ModuleId;
	reg->client.ClientRegistrationInstance.NpiId = &reg->npi_id;
	reg->client.ClientRegistrationInstance.ModuleId = &reg->module_id;
	reg->context = context;
	reg->side = side;
	reg->owner = owner;
	INIT_DELAYED_WORK(&reg->retry, netio_retry);
	reg->variable = variable;
	return reg;
}

/* Return: the instance of @reg for nmr.ko, which copies the GUIDs in @id. */
static struct nmr_registration_instance netio_native(struct netio_reg *reg, guid_t id[2])
{
	PNPI_REGISTRATION_INSTANCE instance = &reg->client.ClientRegistrationInstance;

	id[0] = netio_guid(&reg->npi_id);
	id[1] = netio_native_module_id(&reg->module_id);
	return (struct nmr_registration_instance){
		&id[0], &id[1], instance->Number, instance->NpiSpecificCharacteristics,
	};
}

/* Free @reg, which nmr.ko has finished with, or never had. NULL: another task has freed it. */
static void netio_free(struct netio_reg *reg)
{
	if (!reg)
		return;
	cancel_delayed_work_sync(&reg->retry);
	kfree(reg);
	atomic_dec(&netio_objects);
}

/* Take a registration out of the table. */
static struct netio_reg *netio_take(enum nmr_side side, u64 id)
{
	struct netio_reg *reg;

	spin_lock(&netio_lock);
	hash_for_each_possible(netio_regs, reg, node, id) {
		if (reg->side == side && reg->id == id) {
			hash_del(&reg->node);
			break;
		}
	}
	spin_unlock(&netio_lock);
	return reg;
}

/* Return: the number in a handle; or 0, which no registration has, if it is of the other side. */
static u64 netio_id(HANDLE handle, enum nmr_side side)
{
	return ((uintptr_t)handle & 1) == side ? (uintptr_t)handle >> 1 : 0;
}

/* Wait for a registration, and free it. */
static NTSTATUS netio_wait(enum nmr_side side, HANDLE handle, unsigned long timeout)
{
	struct nmr_provider_handle provider = { netio_id(handle, side) };
	struct nmr_client_handle client = { provider.id };
	int err = side == NMR_CLIENT ?
		  nmr_wait_for_client_deregister_complete_timeout(client, timeout) :
		  nmr_wait_for_provider_deregister_complete_timeout(provider, timeout);

	if (!err)
		netio_free(netio_take(side, client.id));
	return netio_status(err);
}

/*
 * End a register call. From the moment when @reg is in the table another task may free it. A task
 * that has waited earlier, because a callback has told it the handle, has not found it there.
 */
static NTSTATUS netio_registered(struct netio_reg *reg, int err)
{
	enum nmr_side side = reg->side;
	HANDLE handle = netio_handle(side, reg->id);

	if (err) {
		netio_free(reg);
		return netio_status(err);
	}
	spin_lock(&netio_lock);
	*reg->variable = handle;
	WRITE_ONCE(reg->variable, NULL);
	hash_add(netio_regs, &reg->node, reg->id);
	spin_unlock(&netio_lock);
	netio_wait(side, handle, 0);
	return STATUS_SUCCESS;
}

NTSTATUS __NmrRegisterClient(PNPI_CLIENT_CHARACTERISTICS ClientCharacteristics,
			     PVOID ClientContext, PHANDLE NmrClientHandle, struct nmr_site *site)
{
	struct nmr_client_characteristics native = {
		.attach_provider = netio_attach_provider,
		.detach_provider = netio_detach,
		.cleanup_binding_context = netio_cleanup,
	};
	struct netio_reg *reg;
	guid_t id[2];

	if (!netio_valid(ClientCharacteristics, NmrClientHandle))
		return STATUS_INVALID_PARAMETER;
	reg = netio_reg(NMR_CLIENT, ClientCharacteristics, ClientContext, NmrClientHandle,
			site->owner);
	if (!reg)
		return STATUS_INSUFFICIENT_RESOURCES;
	native.instance = netio_native(reg, id);
	return netio_registered(reg, __nmr_client_register(&native, reg, &reg->as_client, site));
}
EXPORT_SYMBOL_NMR(__NmrRegisterClient);

NTSTATUS __NmrRegisterProvider(PNPI_PROVIDER_CHARACTERISTICS ProviderCharacteristics,
			       PVOID ProviderContext, PHANDLE NmrProviderHandle,
			       struct nmr_site *site)
{
	PNPI_CLIENT_CHARACTERISTICS c = (PNPI_CLIENT_CHARACTERISTICS)ProviderCharacteristics;
	struct nmr_provider_characteristics native = {
		.attach_client = netio_attach_client,
		.detach_client = netio_detach,
		.cleanup_binding_context = netio_cleanup,
	};
	struct netio_reg *reg;
	guid_t id[2];

	if (!netio_valid(c, NmrProviderHandle))
		return STATUS_INVALID_PARAMETER;
	reg = netio_reg(NMR_PROVIDER, c, ProviderContext, NmrProviderHandle, site->owner);
	if (!reg)
		return STATUS_INSUFFICIENT_RESOURCES;
	native.instance = netio_native(reg, id);
	return netio_registered(reg, __nmr_provider_register(&native, reg, &reg->as_provider,
							     site));
}
EXPORT_SYMBOL_NMR(__NmrRegisterProvider);

/* Deregister and wait */

NTSTATUS NmrDeregisterClient(HANDLE NmrClientHandle)
{
	struct nmr_client_handle c = { netio_id(NmrClientHandle, NMR_CLIENT) };

	/* Deregistering twice is no error: the wait that follows is right for both. */
	return nmr_deregister_client(c) == -EINVAL ? STATUS_INVALID_PARAMETER : STATUS_PENDING;
}
EXPORT_SYMBOL_NMR(NmrDeregisterClient);

NTSTATUS NmrDeregisterProvider(HANDLE NmrProviderHandle)
{
	struct nmr_provider_handle p = { netio_id(NmrProviderHandle, NMR_PROVIDER) };

	return nmr_deregister_provider(p) == -EINVAL ? STATUS_INVALID_PARAMETER : STATUS_PENDING;
}
EXPORT_SYMBOL_NMR(NmrDeregisterProvider);

NTSTATUS NmrWaitForClientDeregisterComplete(HANDLE NmrClientHandle)
{
	return netio_wait(NMR_CLIENT, NmrClientHandle, MAX_SCHEDULE_TIMEOUT);
}
EXPORT_SYMBOL_NMR(NmrWaitForClientDeregisterComplete);

NTSTATUS NmrWaitForProviderDeregisterComplete(HANDLE NmrProviderHandle)
{
	return netio_wait(NMR_PROVIDER, NmrProviderHandle, MAX_SCHEDULE_TIMEOUT);
}
EXPORT_SYMBOL_NMR(NmrWaitForProviderDeregisterComplete);

/* The module */

/* Free what a module that unloads has not waited for. nmr.ko has finished with it. */
static int netio_module_event(struct notifier_block *nb, unsigned long event, void *module)
{
	struct netio_reg *reg;
	struct hlist_node *next;
	HLIST_HEAD(forgotten);
	int bucket;

	if (event != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	spin_lock(&netio_lock);
	hash_for_each_safe(netio_regs, bucket, next, reg, node) {
		if (reg->owner == module) {
			hash_del(&reg->node);
			hlist_add_head(&reg->node, &forgotten);
		}
	}
	spin_unlock(&netio_lock);
	hlist_for_each_entry_safe(reg, next, &forgotten, node)
		netio_free(reg);
	return NOTIFY_OK;
}

/* Runs after the notifier of nmr.ko. */
static struct notifier_block netio_notifier = {
	.notifier_call = netio_module_event,
	.priority = INT_MAX - 1,
};

static int __init netio_init(void)
{
	return register_module_notifier(&netio_notifier);
}

static void __exit netio_exit(void)
{
	unregister_module_notifier(&netio_notifier);
	WARN_ON(atomic_read(&netio_objects));
}

/* If all is built in, nmr and this come before the modules that register. */
subsys_initcall_sync(netio_init);
module_exit(netio_exit);

MODULE_DESCRIPTION("The documented interface of the Windows registrar, on nmr");
MODULE_LICENSE("GPL");
