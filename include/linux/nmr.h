/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Network Module Registrar: the interface for provider and client modules.
 */
#ifndef _LINUX_NMR_H
#define _LINUX_NMR_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/init.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/types.h>
#include <linux/uuid.h>

#ifdef __has_include	/* sparse has not */
#if __has_include("linux/cleanup.h")
#include <linux/cleanup.h>
#endif
#endif

/**
 * DOC: Overview
 *
 * A *provider* implements a network programming interface (NPI), a *client* calls it.
 * A GUID names the NPI. Both register with the registrar, which attaches every client to
 * every provider of the same NPI. While they attach, client and provider exchange a
 * binding context and a dispatch table each. From then on they call each other directly.
 *
 * When either side leaves, the registrar closes the binding, so that no new call can
 * enter. It waits for an RCU grace period, calls the detach callbacks of both sides,
 * waits until the calls in flight have returned, and calls the cleanup callbacks of both
 * sides. Then the wait for the deregistration returns, and the module may unload.
 *
 * Terms and model are those of the Windows Network Module Registrar:
 * https://learn.microsoft.com/windows-hardware/drivers/network/network-module-registrar2
 */

/**
 * DOC: Usage
 *
 * The shortest correct use is the same for either side:
 *
 * - module_init() calls nmr_register_client() or nmr_register_provider() as its last
 *   step. Attach callbacks may run, and calls may arrive, before the function returns.
 * - The module wraps each call to its peer in enter and exit::
 *
 *	if (nmr_client_call_enter(binding)) {
 *		dispatch->op(provider_binding_context);
 *		nmr_client_call_exit(binding);
 *	}
 *
 * - module_exit() calls nmr_deregister_client_sync() or nmr_deregister_provider_sync()
 *   as its first step.
 *
 * A module that wraps each call needs no counter, no lock and no detach callback. The
 * registrar protects the callee of a call: its text, its binding context and its
 * dispatch table. The registrar does not protect the caller's own text: after the sync,
 * module_exit() stops the threads, timers, work items and RCU callbacks of the module.
 *
 * If a module unloads without having deregistered, or if module_init() fails after it has
 * registered, the registrar warns, deregisters, and waits before the text is freed.
 * The registrar cannot protect data that the module has freed by then.
 */

/**
 * DOC: Threads that need the handle
 *
 * A module that has threads which use the handle creates them before it registers
 * (kthread_create()), and wakes them when registering has returned 0 (wake_up_process()):
 * so registering remains the last step that can fail. A callback may use the handle, too,
 * since it is written before the first callback runs. In module_exit(), deregistering
 * comes first: a thread that sleeps in nmr_client_wait_for_binding() then returns with
 * %-ESHUTDOWN, and kthread_stop() ends it.
 */

/**
 * DOC: Offers
 *
 * An *offer* is the call of a client's attach callback for one provider. For each client
 * and each provider that are registered at the same time, the registrar makes one offer.
 * A pair that an attach callback declined is not offered again. A pair is *deferred* if an
 * attach callback returned %-EPROBE_DEFER, or if its binding was detached with
 * %NMR_DETACH_FALLBACK. The registrar offers a deferred pair again when
 *
 * - an attached binding of either side has been cleaned up (not the pair's own binding),
 * - another provider of the NPI registers, or
 * - nmr_client_reoffer() or nmr_provider_reoffer() is called for either side.
 */

/**
 * DOC: Loading the modules of providers
 *
 * The uevent of a client's registration has MODALIAS=nmr-provider:GUID, so udev loads
 * the modules that have MODULE_ALIAS_NMR_PROVIDER() with that GUID. A module that cannot
 * rely on udev requests them before it registers, or from a work item::
 *
 *	request_module("nmr-provider:%pUl", &npi_id);
 *
 * An attach callback must not call request_module() for the NPI, nor wait for a
 * provider's module to load in another way. The callback may run inside the
 * module_init() of that very module: modprobe would wait for module_init(), and
 * module_init() for modprobe.
 */

/**
 * DOC: Lifetime of a binding
 *
 * A pointer to a binding is valid for a side from its attach callback until its cleanup
 * callback has returned and one RCU grace period more has passed. If the attach failed, and
 * the side gets no cleanup callback, the grace period begins when the attach callback
 * returns.
 *
 * A module that publishes the pointer with rcu_assign_pointer(), and clears it in its
 * cleanup callback or earlier, may therefore use rcu_dereference() and enter in one RCU
 * read-side critical section. nmr_binding_get() in that section keeps the binding longer.
 * On a closed binding enter returns false.
 */

struct nmr_binding;

/**
 * enum nmr_side - the two sides of a binding
 * @NMR_CLIENT:		the side that uses the NPI
 * @NMR_PROVIDER:	the side that implements the NPI
 * @NMR_SIDES:		the number of sides: the size of an array indexed by side
 */
enum nmr_side {
	NMR_CLIENT,
	NMR_PROVIDER,
	NMR_SIDES
};

/**
 * struct nmr_client_handle - names one registration of a client
 * @id: never issued twice, 0 is never valid; also the name of the directory in sysfs
 *
 * The handle is a number, so the registrar tells a stale or an invented handle from a
 * live handle without touching freed memory.
 */
struct nmr_client_handle {
	u64 id;
};

/**
 * struct nmr_provider_handle - names one registration of a provider
 * @id: never issued twice, 0 is never valid; also the name of the directory in sysfs
 */
struct nmr_provider_handle {
	u64 id;
};

/**
 * struct nmr_registration_instance - identity of a registration, as its peers see it
 * @npi_id:		GUID of the NPI; copied at registration
 * @module_id:		GUID that tells peers which module this is; copied at registration.
 *			It need not be unique: several registrations may share it.
 * @number:		tells implementations of one module apart; 0 if there is only one
 * @npi_specific:	NPI-specific characteristics, or NULL. The registrar does not copy
 *			them: the module keeps them until the wait for deregistration has
 *			returned 0. A peer may read them in its attach callback, not later.
 *
 * A module may register any number of times, for the same NPI or for different NPIs.
 */
struct nmr_registration_instance {
	const guid_t	*npi_id;
	const guid_t	*module_id;
	u32		 number;
	const void	*npi_specific;
};

/**
 * struct nmr_endpoint - what a side hands to its peer at attach
 * @binding_context:	passed to this side's other callbacks, and by the peer to the
 *			functions in @dispatch; may be NULL
 * @dispatch:		functions (and data) that the NPI defines for this side; may be
 *			NULL
 *
 * The side that hands the endpoint over keeps what both members point to until the
 * registrar calls its cleanup callback. The peer may dereference them in its attach
 * callback, and later only in calls: between enter and exit, or in an RCU read-side
 * critical section, see nmr_client_may_call_rcu().
 */
struct nmr_endpoint {
	void		*binding_context;
	const void	*dispatch;
};

/**
 * enum nmr_detach_reason - why a binding is detached
 * @NMR_DETACH_CLIENT_DEREGISTERED:	the client began to leave
 * @NMR_DETACH_PROVIDER_DEREGISTERED:	the provider began to leave
 * @NMR_DETACH_ATTACH_FAILED:	only a provider sees this: the client's attach callback
 *				failed after the provider's attach callback had succeeded
 * @NMR_DETACH_FALLBACK:	only this binding ends; the client should use another
 *				provider, and the registrar offers the pair again later
 * @NMR_DETACH_ABORT:		only this binding ends; the registrar does not offer the
 *				pair again
 *
 * The first reason wins, and both sides get the same reason.
 */
enum nmr_detach_reason {
	NMR_DETACH_CLIENT_DEREGISTERED,
	NMR_DETACH_PROVIDER_DEREGISTERED,
	NMR_DETACH_ATTACH_FAILED,
	NMR_DETACH_FALLBACK,
	NMR_DETACH_ABORT,
};

/**
 * struct nmr_client_characteristics - callbacks and identity of a client
 * @attach_provider: Attach to a provider of the NPI, or decline. Mandatory.
 *	A client that wants the provider calls nmr_client_attach_provider() in this
 *	callback and in this task, and returns what that function returned. The callback
 *	returns
 *
 *	- %0: attached;
 *	- %-ENODEV or %-ECANCELED: declined, silently;
 *	- %-EPROBE_DEFER: deferred, the registrar offers the pair again later;
 *	- another negative errno: an error, which is logged; the pair counts as declined.
 *
 *	A positive value, and 0 without success of nmr_client_attach_provider(), are misuse:
 *	the registrar warns, and the pair counts as declined.
 *
 *	A client that fails after nmr_client_attach_provider() returned 0 frees what it
 *	made, as a failed probe() does. The registrar does not call its detach and cleanup
 *	callbacks for that binding.
 *
 *	The callback runs in process context and may sleep. No lock of the registrar is
 *	held. It runs in the task that registers, or on the registrar's workqueue: there if
 *	the offer is made later, or if the register call is nested 8 deep in attach
 *	callbacks (that call waits for its offers). As it may run inside a provider's
 *	module_init(), it must not wait for a module to load: neither by
 *	request_module() nor otherwise.
 * @detach_provider: End the use of the provider. Optional: NULL acts as a callback that
 *	returns 0. The binding is closed: no call can enter, calls in flight may still run,
 *	calls covered by nmr_client_may_call_rcu() have returned. The callback returns
 *
 *	- %0: the client has nothing left but calls that it entered and did not yet exit;
 *	- %-EINPROGRESS: the client calls nmr_client_detach_provider_complete() when it is
 *	  done, or has called it already.
 *
 *	Another value is misuse: the registrar warns, and takes the value as 0.
 *
 *	The callback runs on the registrar's workqueue, in process context, and may sleep.
 *	The workqueue is not WQ_MEM_RECLAIM. A callback that would have to wait should
 *	return %-EINPROGRESS: a pending detach occupies no worker.
 * @cleanup_binding_context: Free the binding context. Optional. Both sides have detached,
 *	and no call of either side runs. It is the last callback of a binding. It runs on
 *	the registrar's workqueue, in process context, and may sleep.
 * @instance: identity of the client
 * @max_bindings: 0: no limit. Otherwise the client never has more bindings than this,
 *	attaching ones included. While the client is full, the registrar withholds offers.
 *	The registrar makes them when a binding of the client has ended.
 */
struct nmr_client_characteristics {
	int  (*attach_provider)(struct nmr_binding *binding, void *client_context,
				const struct nmr_registration_instance *provider);
	int  (*detach_provider)(void *client_binding_context,
				enum nmr_detach_reason reason);
	void (*cleanup_binding_context)(void *client_binding_context);
	struct nmr_registration_instance instance;
	u32 max_bindings;
};

/**
 * struct nmr_provider_characteristics - callbacks and identity of a provider
 * @attach_client: Attach to a client, or decline. Mandatory. The parameter instance is the
 *	identity of the client, client what the client hands over. The registrar has copied
 *	that endpoint: the pointer client is valid until the provider's cleanup callback has
 *	returned, or, if attach_client fails, until it returns. The registrar has zeroed
 *	provider, which the callback fills. The callback returns
 *
 *	- %0: attached;
 *	- %-ENODEV or %-ECANCELED: declined, silently;
 *	- %-EPROBE_DEFER: deferred, the registrar offers the pair again later;
 *	- another negative errno: an error, which is logged; the pair counts as declined.
 *
 *	A positive value is misuse: the registrar warns, and the pair counts as declined.
 *	When the callback has returned 0 the client may call, also before the client's own
 *	attach callback has returned. The provider may call later, see client_attached.
 *
 *	The callback runs inside the client's attach callback and in the same task: in
 *	process context, may sleep, with no lock of the registrar held. The same limits
 *	apply: it must not wait for a module to load.
 * @client_attached: Note that both sides have attached. Optional. From then on the
 *	provider may call the client, until the binding closes. The registrar calls it once,
 *	if the provider's gate has opened: if neither side had begun to leave by then, and
 *	nmr_detach_binding() had not been called. If the binding closes between that and the
 *	call, the registrar still calls it, and calls detach after it has returned.
 *	nmr_provider_call_enter() tells the same without this callback.
 *
 *	The callback runs in process context, in the task of the attach callbacks, and may
 *	sleep.
 * @detach_client: End the use of the client. Optional. It returns what
 *	&nmr_client_characteristics.detach_provider returns, and runs in the same context,
 *	after the client's detach callback has returned. After %-EINPROGRESS the provider
 *	calls nmr_provider_detach_client_complete().
 * @cleanup_binding_context: Free the binding context. Optional. It runs as
 *	&nmr_client_characteristics.cleanup_binding_context does, after the client's
 *	cleanup callback has returned.
 * @instance: identity of the provider
 */
struct nmr_provider_characteristics {
	int  (*attach_client)(struct nmr_binding *binding, void *provider_context,
			      const struct nmr_registration_instance *instance,
			      const struct nmr_endpoint *client,
			      struct nmr_endpoint *provider);
	void (*client_attached)(void *provider_binding_context);
	int  (*detach_client)(void *provider_binding_context,
			      enum nmr_detach_reason reason);
	void (*cleanup_binding_context)(void *provider_binding_context);
	struct nmr_registration_instance instance;
};

/* Registration. The macros pass the calling module, and a lock class for lockdep. */

/*
 * Version of what this header lays out and of what its inline functions do. nmr.ko refuses
 * a module that was built with another version: its gates would not close.
 */
#define NMR_VERSION	1

/*
 * The place in a module's source that registers; the register macros make it.
 *
 * @version, @size: NMR_VERSION and the size of the characteristics as the module knows
 *		    them. With @modname they come first in every version.
 * @owner:	    the module, or NULL if it is built in
 * @told:	    the kernel's log has said why registering fails here
 * @key:	    lockdep's class of the registrations made here
 */
struct nmr_site {
	u32			version;
	u32			size;
	const char		*modname;
	struct module		*owner;
	unsigned long		told;
	struct lock_class_key	key;
};

#define __NMR_SITE(characteristics)					\
{									\
	.version = NMR_VERSION,						\
	.size = sizeof(characteristics),				\
	.modname = KBUILD_MODNAME,					\
	.owner = THIS_MODULE,						\
}

int __nmr_client_register(const struct nmr_client_characteristics *c,
			  void *client_context, struct nmr_client_handle *handle,
			  struct nmr_site *site);
int __nmr_provider_register(const struct nmr_provider_characteristics *c,
			    void *provider_context, struct nmr_provider_handle *handle,
			    struct nmr_site *site);

/**
 * nmr_register_client() - register a client of an NPI
 * @c:			characteristics of the client; copied
 * @client_context:	passed to the attach callback
 * @handle:		written before the first callback runs
 *
 * The function offers each provider that registered earlier to the client, and returns when
 * the attach callbacks of these offers have returned. A provider that registers later
 * makes its offer in its own register call.
 *
 * The callbacks run in the calling task. If the call is nested 8 deep in attach
 * callbacks, they run on the registrar's workqueue and the call waits for them.
 *
 * If the client is full (max_bindings), or if memory for an offer cannot be allocated, the
 * registrar withholds the offer. The registrar makes it later, on its workqueue.
 *
 * Context: Process context. May sleep. The caller must not hold a lock that an attach
 * callback of either side takes.
 *
 * Return:
 * * %0 - the client is registered; it must be deregistered before its module unloads
 * * %-EINVAL - @c, @handle, the attach callback, the NPI's or the module's id is NULL, or
 *   the module was built with another version of this header; the kernel log has the
 *   reason, once per place that registers
 * * %-ENOMEM - allocation failure; no callback has run, and nothing is registered; a handle
 *   number may have been used up
 * * %-ENODEV - the registrar is not initialised: it is built in and the caller runs before
 *   subsys_initcall(), or its initialisation failed
 */
#define nmr_register_client(c, client_context, handle)			\
({									\
	static struct nmr_site __nmr_site =				\
		__NMR_SITE(struct nmr_client_characteristics);		\
									\
	__nmr_client_register(c, client_context, handle, &__nmr_site);	\
})

/**
 * nmr_register_provider() - register a provider of an NPI
 * @c:			characteristics of the provider; copied
 * @provider_context:	passed to the attach callback
 * @handle:		written before the first callback runs
 *
 * The function offers the provider to each client that registered earlier, as
 * nmr_register_client() does with the sides exchanged. It also makes the registrar offer
 * the deferred pairs of the NPI again, on the workqueue.
 *
 * Context: Process context. May sleep. The caller must not hold a lock that an attach
 * callback of either side takes.
 *
 * Return:
 * * %0 - the provider is registered; it must be deregistered before its module unloads
 * * %-EINVAL - @c, @handle, the attach callback, the NPI's or the module's id is NULL, or
 *   the module was built with another version of this header; the kernel log has the
 *   reason, once per place that registers
 * * %-ENOMEM - allocation failure; no callback has run, and nothing is registered; a handle
 *   number may have been used up
 * * %-ENODEV - the registrar is not initialised: it is built in and the caller runs before
 *   subsys_initcall(), or its initialisation failed
 */
#define nmr_register_provider(c, provider_context, handle)		\
({									\
	static struct nmr_site __nmr_site =				\
		__NMR_SITE(struct nmr_provider_characteristics);		\
									\
	__nmr_provider_register(c, provider_context, handle, &__nmr_site);	\
})

/**
 * nmr_deregister_client() - start to deregister a client
 * @handle: handle of the client
 *
 * The function closes all bindings of the client. A call of either side that begins after
 * the function has returned cannot enter, and no offer to the client begins. Callbacks and
 * calls in flight may still run. The detach and cleanup callbacks run on the registrar's
 * workqueue: wait for them with nmr_wait_for_client_deregister_complete().
 *
 * A second, concurrent call helps the first: all gates are closed when either returns. The
 * cost is linear in the number of the client's bindings. The function allocates no memory.
 *
 * Context: Process or softirq context. Does not sleep. Takes a spinlock_t.
 *
 * Return:
 * * %-EINPROGRESS - started; the caller must wait before its module unloads
 * * %-EALREADY - started earlier, or finished
 * * %-EINVAL - the handle was never issued
 */
int nmr_deregister_client(struct nmr_client_handle handle);

/**
 * nmr_deregister_provider() - start to deregister a provider
 * @handle: handle of the provider
 *
 * The function does what nmr_deregister_client() does, with the sides exchanged. Wait with
 * nmr_wait_for_provider_deregister_complete().
 *
 * Context: Process or softirq context. Does not sleep. Takes a spinlock_t.
 *
 * Return:
 * * %-EINPROGRESS - started; the caller must wait before its module unloads
 * * %-EALREADY - started earlier, or finished
 * * %-EINVAL - the handle was never issued
 */
int nmr_deregister_provider(struct nmr_provider_handle handle);

/**
 * nmr_wait_for_client_deregister_complete() - wait until a client is deregistered
 * @handle: handle of the client, which must have been deregistered
 *
 * After 0 no callback of the client runs or will run, and nothing of the client is left in
 * sysfs. The caller sees everything the callbacks did (acquire).
 *
 * Any number of tasks may wait, any number of times. A callback of another registration
 * may wait, too: it occupies a worker, and up to 500 callbacks may wait concurrently.
 *
 * The task sleeps in TASK_IDLE: signals do not end the wait, the task does not add to the
 * load, and khungtaskd does not report it. If the task is outside of callbacks and holds no
 * lock (as far as lockdep can tell), the wait is freezable: the machine can suspend. If a
 * binding has not drained after nmr.stuck_seconds, the kernel log tells what it waits for.
 *
 * Context: Process context. May sleep. The caller must not hold a lock that a callback of
 * the client's bindings, or a call in flight, takes. lockdep reports this, and a wait
 * inside of a call that the wait depends on.
 *
 * Return:
 * * %0 - nothing of the client is left; also if it finished long ago
 * * %-EINVAL - the handle was never issued, or the client has not been deregistered
 * * %-EDEADLK - the task is inside a callback, of either side, of one of the client's
 *   bindings
 */
int nmr_wait_for_client_deregister_complete(struct nmr_client_handle handle);

/**
 * nmr_wait_for_provider_deregister_complete() - wait until a provider is deregistered
 * @handle: handle of the provider, which must have been deregistered
 *
 * The function waits as nmr_wait_for_client_deregister_complete() does, and promises the
 * same.
 *
 * Context: Process context. May sleep, in TASK_IDLE. The caller must not hold a lock that
 * a callback of the provider's bindings, or a call in flight, takes.
 *
 * Return:
 * * %0 - nothing of the provider is left; also if it finished long ago
 * * %-EINVAL - the handle was never issued, or the provider has not been deregistered
 * * %-EDEADLK - the task is inside a callback, of either side, of one of the provider's
 *   bindings
 */
int nmr_wait_for_provider_deregister_complete(struct nmr_provider_handle handle);

/**
 * nmr_wait_for_client_deregister_complete_timeout() - wait for a client with a timeout
 * @handle:  handle of the client, which must have been deregistered
 * @timeout: time to wait, in jiffies; 0 tests without waiting
 *
 * The function waits as nmr_wait_for_client_deregister_complete() does. After a timeout it
 * may be called again.
 *
 * Context: Process context. May sleep, in TASK_IDLE. The caller must not hold a lock that
 * a callback of the client's bindings, or a call in flight, takes.
 *
 * Return:
 * * %0 - nothing of the client is left; also if it finished long ago
 * * %-ETIMEDOUT - @timeout has passed
 * * %-EINVAL - the handle was never issued, or the client has not been deregistered
 * * %-EDEADLK - the task is inside a callback, of either side, of one of the client's
 *   bindings
 */
int nmr_wait_for_client_deregister_complete_timeout(struct nmr_client_handle handle,
						    unsigned long timeout);

/**
 * nmr_wait_for_provider_deregister_complete_timeout() - wait for a provider with a timeout
 * @handle:  handle of the provider, which must have been deregistered
 * @timeout: time to wait, in jiffies; 0 tests without waiting
 *
 * The function waits as nmr_wait_for_client_deregister_complete() does. After a timeout it
 * may be called again.
 *
 * Context: Process context. May sleep, in TASK_IDLE. The caller must not hold a lock that
 * a callback of the provider's bindings, or a call in flight, takes.
 *
 * Return:
 * * %0 - nothing of the provider is left; also if it finished long ago
 * * %-ETIMEDOUT - @timeout has passed
 * * %-EINVAL - the handle was never issued, or the provider has not been deregistered
 * * %-EDEADLK - the task is inside a callback, of either side, of one of the provider's
 *   bindings
 */
int nmr_wait_for_provider_deregister_complete_timeout(struct nmr_provider_handle handle,
						      unsigned long timeout);

/**
 * nmr_deregister_client_sync() - deregister a client, and wait until it is done
 * @handle: handle of the client
 *
 * The function calls nmr_deregister_client() and then waits as
 * nmr_wait_for_client_deregister_complete() does. module_exit() calls it first. If the
 * client was deregistered before, the function only waits; if the client has finished, the
 * function returns at once. If the handle was never issued, the function logs an error
 * and returns.
 *
 * Inside a callback of one of the client's bindings the function cannot wait: it warns, and
 * returns with the deregistration started.
 *
 * Context: Process context. May sleep, in TASK_IDLE. The caller must not hold a lock that
 * a callback of the client's bindings, or a call in flight, takes.
 */
void nmr_deregister_client_sync(struct nmr_client_handle handle);

/**
 * nmr_deregister_provider_sync() - deregister a provider, and wait until it is done
 * @handle: handle of the provider
 *
 * The function does what nmr_deregister_client_sync() does, with the sides exchanged.
 *
 * Context: Process context. May sleep, in TASK_IDLE. The caller must not hold a lock that
 * a callback of the provider's bindings, or a call in flight, takes.
 */
void nmr_deregister_provider_sync(struct nmr_provider_handle handle);

/**
 * nmr_client_wait_for_binding() - wait until a client is attached to a provider
 * @handle:  handle of the client
 * @timeout: time to wait, in jiffies; 0 tests without waiting
 *
 * After 0 the caller sees everything that the attach callbacks of that binding did. The
 * binding may close at any time, so each call still has to enter.
 *
 * A signal ends the wait. The wait is freezable, and the freezer does not end it.
 *
 * Context: Process context. May sleep, interruptibly. The caller must not hold a lock that
 * an attach callback of the client's bindings takes.
 *
 * Return:
 * * %0 - the client is attached to at least one provider
 * * %-ETIMEDOUT - @timeout has passed
 * * %-ESHUTDOWN - the client is deregistering or finished, even if it is still attached
 * * %-ERESTARTSYS - a signal is pending
 * * %-EDEADLK - the task is inside a callback, of either side, of one of the client's
 *   bindings, even if the client is attached to another provider
 * * %-EINVAL - the handle was never issued
 */
int nmr_client_wait_for_binding(struct nmr_client_handle handle,
				unsigned long timeout);

/**
 * nmr_client_reoffer() - offer the deferred providers of a client again
 * @handle: handle of the client
 *
 * A client that returned %-EPROBE_DEFER calls this when it is ready. The attach callbacks
 * run on the registrar's workqueue. If a deferred pair is just being offered, or if the
 * client is full, the request is kept and not lost.
 *
 * Context: Process or softirq context. Does not sleep. Takes a spinlock_t.
 *
 * Return:
 * * %0 - the offers follow
 * * %-EINVAL - the handle was never issued
 * * %-ESHUTDOWN - the client is deregistering or finished
 */
int nmr_client_reoffer(struct nmr_client_handle handle);

/**
 * nmr_provider_reoffer() - offer a provider to its deferred clients again
 * @handle: handle of the provider
 *
 * The function does what nmr_client_reoffer() does, with the sides exchanged.
 *
 * Context: Process or softirq context. Does not sleep. Takes a spinlock_t.
 *
 * Return:
 * * %0 - the offers follow
 * * %-EINVAL - the handle was never issued
 * * %-ESHUTDOWN - the provider is deregistering or finished
 */
int nmr_provider_reoffer(struct nmr_provider_handle handle);

/* Bindings */

/**
 * nmr_client_attach_provider() - ask the offered provider to attach
 * @binding:  binding that was passed to the client's attach callback; NULL is refused
 * @client:   endpoint for the provider; NULL acts as an endpoint of two NULLs
 * @provider: receives the provider's endpoint, only if the function returns 0; or NULL
 *
 * The client calls this once, in its attach callback. The provider's attach callback runs
 * inside of it, in the same task. The registrar copies @client before that, so @client
 * may be on the stack. The provider sees the copy, which is valid until the provider's
 * cleanup callback has returned.
 *
 * After 0 the client may call the provider. If the client then fails, it frees what it
 * made, and the registrar detaches the provider.
 *
 * Context: Process context, in the task that runs the attach callback. May sleep. The
 * caller must not hold a lock that the provider's attach callback takes.
 *
 * Return:
 * * %0 - the provider has attached
 * * %-ENODEV - the provider declined; also if its callback returned a positive value, which
 *   is misuse and warned of
 * * %-ECANCELED - the provider declined, or a side began to leave before the provider was
 *   asked
 * * %-EINVAL - @binding is NULL, the task is not inside the attach callback of @binding, or
 *   this is a second call; the provider's callback may return it, too
 * * another negative errno - the value that the provider's attach callback returned
 */
int nmr_client_attach_provider(struct nmr_binding *binding,
			       const struct nmr_endpoint *client,
			       struct nmr_endpoint *provider);

/**
 * nmr_client_detach_provider_complete() - complete a pending detach of the client
 * @binding: binding for which the client's detach callback returned %-EINPROGRESS, or is
 *	     about to; NULL warns and does nothing
 *
 * The call is the last thing the client does for the binding: when the function returns, the
 * client's cleanup callback may have run. The cleanup callbacks of both sides see
 * everything the caller did before the call (a full barrier). After the wait,
 * module_exit() stops whatever may still be returning from this function.
 *
 * A call without a pending detach warns, once per registration, and does nothing.
 *
 * Context: Any context but NMI. May be called under a raw_spinlock_t, except the
 * scheduler's: the function may queue work.
 */
void nmr_client_detach_provider_complete(struct nmr_binding *binding);

/**
 * nmr_provider_detach_client_complete() - complete a pending detach of the provider
 * @binding: binding for which the provider's detach callback returned %-EINPROGRESS, or is
 *	     about to; NULL warns and does nothing
 *
 * The function does what nmr_client_detach_provider_complete() does, for the provider.
 *
 * Context: Any context but NMI. May be called under a raw_spinlock_t, except the
 * scheduler's: the function may queue work.
 */
void nmr_provider_detach_client_complete(struct nmr_binding *binding);

/**
 * nmr_detach_binding() - detach one binding, and stay registered
 * @binding: a valid binding of the caller; NULL is refused
 * @reason:  %NMR_DETACH_FALLBACK: the registrar offers the pair again later;
 *	     %NMR_DETACH_ABORT: the registrar does not offer the pair again
 *
 * A call of either side that begins after the function has returned cannot enter. Detach
 * and cleanup callbacks run on the registrar's workqueue. If the binding is still
 * attaching, the attach goes on and detach follows. If that attach fails,
 * %NMR_DETACH_FALLBACK is forgotten and %NMR_DETACH_ABORT is kept.
 *
 * Two providers that say %NMR_DETACH_FALLBACK in turn hand a client back and forth as fast
 * as grace periods pass: the caller paces this.
 *
 * Context: Process or softirq context. Does not sleep. Takes a spinlock_t.
 *
 * Return:
 * * %0 - detach has started
 * * %-EALREADY - the binding had already closed
 * * %-EINVAL - @binding is NULL, or @reason is another reason
 */
int nmr_detach_binding(struct nmr_binding *binding,
		       enum nmr_detach_reason reason);

/**
 * nmr_binding_get() - take a reference to a binding
 * @binding: a valid binding, possibly only by an RCU read-side critical section; or NULL
 *
 * A reference is needed to use @binding beyond the caller's cleanup callback and one RCU
 * grace period. The reference keeps the object, not the peer: once the binding has closed,
 * enter returns false. The reference delays no deregistration and no unload of a module
 * that uses the registrar.
 *
 * The reference pins nmr.ko: rmmod reports that it is in use until nmr_binding_put().
 * /sys/kernel/debug/nmr/references lists bindings that have ended and are referenced.
 *
 * Context: Any context but NMI. May be called under a raw_spinlock_t.
 *
 * Return: @binding; NULL if @binding is NULL.
 */
struct nmr_binding *nmr_binding_get(struct nmr_binding *binding);

/**
 * nmr_binding_put() - drop a reference to a binding
 * @binding: binding that nmr_binding_get() returned; NULL is ignored
 *
 * After the last reference the registrar frees the binding when an RCU grace period has
 * passed (call_rcu()).
 *
 * Context: Any context but NMI. May be called under a raw_spinlock_t, except the
 * scheduler's.
 */
void nmr_binding_put(struct nmr_binding *binding);

/**
 * nmr_binding_id() - return the number of a binding
 * @binding: a valid binding, or NULL
 *
 * sysfs, the tracepoints and the kernel log show the same number.
 *
 * Context: Any context.
 *
 * Return: A number that no other binding has or will have; 0 if @binding is NULL.
 */
u64 nmr_binding_id(const struct nmr_binding *binding);

/*
 * Call gates: the inline half. module/gate.c has the other half, and the proof that
 * the two halves together lose no call.
 */

/*
 * @calls: per-CPU counts of the calls this side makes. The pointer of a closed gate leads
 *	   to counts below zero. A gate opens at most once, closes at most once, and never
 *	   opens again.
 */
struct nmr_gate {
	s64 __percpu *calls;
};

/* Return the gate of @caller. A binding begins with its two gates, indexed by side. */
static inline struct nmr_gate *__nmr_gate(struct nmr_binding *binding,
					  enum nmr_side caller)
{
	return (struct nmr_gate *)binding + caller;
}

/* Account for the exit of a call from a gate that has closed. */
void __nmr_gate_exit_closed(struct nmr_binding *binding, enum nmr_side caller);

/*
 * Add 1 to the count of this CPU, or subtract 1. Return: true if the count is below zero
 * afterwards: the gate is closed. Neither an interrupt nor another task on this CPU comes
 * between the addition and the test, so no section with preemption disabled is needed.
 *
 * On x86-64 both are one instruction, which sets the sign flag. GEN_UNARY_RMWcc() cannot
 * replace the asm statement: if the segment prefix of per-CPU accesses comes from a named
 * address space, as in 6.12, that macro emits no prefix. The other 64-bit architectures
 * use this_cpu_add_return(). 32-bit architectures have no such operation on s64 and use an
 * atomic64_t per CPU; migrating between raw_cpu_ptr() and the addition is then harmless.
 *
 * Compiler barriers keep the accesses of a call between enter and exit.
 */
#if defined(CONFIG_X86_64) && defined(CONFIG_SMP)
#define __NMR_COUNT(instruction, calls)					\
({									\
	bool __closed;							\
									\
	asm volatile(instruction " %%gs:%[count]"			\
		     : "=@ccs" (__closed),				\
		       [count] "+m" (*(__force s64 *)(calls))		\
		     : : "memory");					\
	__closed;								\
})
#define __nmr_count_enter(calls)	__NMR_COUNT("incq", calls)
#define __nmr_count_exit(calls)		__NMR_COUNT("decq", calls)
#elif defined(CONFIG_64BIT)
#define __NMR_COUNT(n, calls)						\
({									\
	s64 __count;							\
									\
	barrier();							\
	__count = this_cpu_add_return(*(calls), n);			\
	barrier();							\
	__count < 0;							\
})
#define __nmr_count_enter(calls)	__NMR_COUNT(1, calls)
#define __nmr_count_exit(calls)		__NMR_COUNT(-1, calls)
#else
#define __NMR_COUNT(n, calls)						\
	(atomic64_add_return(n, (atomic64_t *)raw_cpu_ptr(calls)) < 0)
#define __nmr_count_enter(calls)	__NMR_COUNT(1, calls)
#define __nmr_count_exit(calls)		__NMR_COUNT(-1, calls)
#endif

/*
 * Each call in flight, told to lockdep, and remembered with NMR_DEBUG: see lockdep.c. nmr.ko
 * has these functions in any case, for modules that were built with NMR_DEBUG.
 */
#define __NMR_CALLS_TRACKED						\
	(IS_ENABLED(CONFIG_LOCKDEP) || IS_ENABLED(CONFIG_NMR_DEBUG))

void __nmr_call_entered(struct nmr_binding *binding, enum nmr_side caller);
void __nmr_call_exiting(struct nmr_binding *binding, enum nmr_side caller);
void __nmr_call_handed_over(struct nmr_binding *binding, enum nmr_side caller);

static __always_inline bool __nmr_call_enter(struct nmr_binding *binding,
					     enum nmr_side caller)
{
	/*
	 * Pairs with the smp_store_release() in nmr_gate_open(): a caller that enters
	 * sees everything the callee did in its attach callback.
	 */
	s64 __percpu *calls = smp_load_acquire(&__nmr_gate(binding, caller)->calls);

	/*
	 * If the gate closes after the load, either this CPU's old count still takes the
	 * call, which is then in flight, or the count is already below zero.
	 */
	if (unlikely(__nmr_count_enter(calls)))
		return false;
	if (__NMR_CALLS_TRACKED)
		__nmr_call_entered(binding, caller);
	return true;
}

static __always_inline void __nmr_call_exit(struct nmr_binding *binding,
					    enum nmr_side caller)
{
	s64 __percpu *calls;

	if (__NMR_CALLS_TRACKED)
		__nmr_call_exiting(binding, caller);
	calls = READ_ONCE(__nmr_gate(binding, caller)->calls);
	if (unlikely(__nmr_count_exit(calls)))
		__nmr_gate_exit_closed(binding, caller);
}

static __always_inline bool __nmr_call_may_rcu(struct nmr_binding *binding,
					       enum nmr_side caller)
{
	/* Pairs with the smp_store_release() in nmr_gate_open(). */
	s64 __percpu *calls = smp_load_acquire(&__nmr_gate(binding, caller)->calls);

	RCU_LOCKDEP_WARN(!rcu_read_lock_any_held(), "not an RCU reader");
	return likely(raw_cpu_read(*calls) >= 0);
}

/**
 * nmr_client_call_enter() - enter a binding to call the provider
 * @binding: a valid binding of the client, or one with a reference; must not be NULL
 *
 * Between enter and exit the provider's text, its binding context and its dispatch table
 * stay valid. The gate opens when the provider's attach callback has returned 0, and
 * closes for good when the binding closes. Any number of calls may be in flight
 * concurrently, and calls may nest.
 *
 * A call may sleep and migrate. It may exit on another CPU, and in another task: see
 * nmr_client_call_handover(). The registrar counts calls per CPU; enter takes no lock and
 * allocates nothing.
 *
 * Context: Any context but NMI, also under a raw_spinlock_t. The CPU must be online: a
 * hotplug callback of the STARTING section must not call this.
 *
 * Return:
 * * %true - the client may call, and must call nmr_client_call_exit() afterwards; this is
 *   an acquire: the caller sees everything the provider did in its attach callback
 * * %false - the provider has not attached yet, or the binding has closed; the client must
 *   neither call nor exit
 */
static __always_inline bool __must_check
nmr_client_call_enter(struct nmr_binding *binding)
{
	return __nmr_call_enter(binding, NMR_CLIENT);
}

/**
 * nmr_client_call_exit() - exit a binding after a call to the provider
 * @binding: binding for which nmr_client_call_enter() returned true; must not be NULL
 *
 * After exit the caller must not touch the provider, nor @binding unless a reference, an
 * RCU read-side critical section or the caller itself keeps it valid. The cleanup callbacks
 * of both sides see everything the caller did before exit (a release).
 *
 * An exit without an enter is misuse: the registrar warns if it notices, and may then call
 * the cleanup callbacks of the binding while a call is in flight.
 *
 * Context: Any context but NMI, also under a raw_spinlock_t, except the scheduler's: the
 * last exit from a closed binding queues work. The CPU must be online: a hotplug callback
 * of the STARTING section must not call this.
 */
static __always_inline void nmr_client_call_exit(struct nmr_binding *binding)
{
	__nmr_call_exit(binding, NMR_CLIENT);
}

/**
 * nmr_provider_call_enter() - enter a binding to call the client
 * @binding: a valid binding of the provider, or one with a reference; must not be NULL
 *
 * The function does what nmr_client_call_enter() does, with the sides exchanged. The gate
 * opens when the client's attach callback has returned 0.
 *
 * Context: Any context but NMI, also under a raw_spinlock_t. The CPU must be online: a
 * hotplug callback of the STARTING section must not call this.
 *
 * Return:
 * * %true - the provider may call, and must call nmr_provider_call_exit() afterwards; this
 *   is an acquire: the caller sees everything the client did in its attach callback
 * * %false - the client has not attached yet, or the binding has closed; the provider must
 *   neither call nor exit
 */
static __always_inline bool __must_check
nmr_provider_call_enter(struct nmr_binding *binding)
{
	return __nmr_call_enter(binding, NMR_PROVIDER);
}

/**
 * nmr_provider_call_exit() - exit a binding after a call to the client
 * @binding: binding for which nmr_provider_call_enter() returned true; must not be NULL
 *
 * The function does what nmr_client_call_exit() does, with the sides exchanged.
 *
 * Context: Any context but NMI, also under a raw_spinlock_t, except the scheduler's. The
 * CPU must be online: a hotplug callback of the STARTING section must not call this.
 */
static __always_inline void nmr_provider_call_exit(struct nmr_binding *binding)
{
	__nmr_call_exit(binding, NMR_PROVIDER);
}

/**
 * nmr_client_call_handover() - announce that a client's call exits in another task
 * @binding: binding for which nmr_client_call_enter() returned true in this context; must
 *	     not be NULL
 *
 * A call that exits in another context than it entered (a work item, an interrupt, another
 * system call) is handed over before the entering context goes on without it. The function
 * tells lockdep, which takes a call for a lock that the task holds, as
 * percpu_rwsem_release() does; and NMR_DEBUG, which shows the call's stack. Without both
 * the function is empty.
 *
 * Context: Any context but NMI: the context that entered.
 */
static __always_inline void nmr_client_call_handover(struct nmr_binding *binding)
{
	if (__NMR_CALLS_TRACKED)
		__nmr_call_handed_over(binding, NMR_CLIENT);
}

/**
 * nmr_provider_call_handover() - announce that a provider's call exits in another task
 * @binding: binding for which nmr_provider_call_enter() returned true in this context; must
 *	     not be NULL
 *
 * The function does what nmr_client_call_handover() does, with the sides exchanged.
 *
 * Context: Any context but NMI: the context that entered.
 */
static __always_inline void nmr_provider_call_handover(struct nmr_binding *binding)
{
	if (__NMR_CALLS_TRACKED)
		__nmr_call_handed_over(binding, NMR_PROVIDER);
}

/**
 * nmr_client_may_call_rcu() - test for a call to the provider in an RCU reader
 * @binding: a valid binding of the client, or one with a reference; must not be NULL
 *
 * An RCU reader that does not sleep need not enter. A reader is anything that
 * rcu_read_lock_any_held() accepts: rcu_read_lock(), or preemption, softirqs or interrupts
 * disabled. The registrar does not count such calls, and sysfs does not show them. It waits
 * for them by call_rcu(), between the closing of the gates and the detach callbacks.
 *
 * Context: An RCU read-side critical section, in any context but NMI.
 *
 * Return:
 * * %true - the client may call until the section ends; this is an acquire: the caller sees
 *   everything the provider did in its attach callback
 * * %false - the provider has not attached yet, or the binding has closed
 */
static __always_inline bool __must_check
nmr_client_may_call_rcu(struct nmr_binding *binding)
{
	return __nmr_call_may_rcu(binding, NMR_CLIENT);
}

/**
 * nmr_provider_may_call_rcu() - test for a call to the client in an RCU reader
 * @binding: a valid binding of the provider, or one with a reference; must not be NULL
 *
 * The function does what nmr_client_may_call_rcu() does, with the sides exchanged.
 *
 * Context: An RCU read-side critical section, in any context but NMI.
 *
 * Return:
 * * %true - the provider may call until the section ends; this is an acquire: the caller
 *   sees everything the client did in its attach callback
 * * %false - the client has not attached yet, or the binding has closed
 */
static __always_inline bool __must_check
nmr_provider_may_call_rcu(struct nmr_binding *binding)
{
	return __nmr_call_may_rcu(binding, NMR_PROVIDER);
}

#ifdef DEFINE_CLASS
/*
 * Define the classes nmr_client_call and nmr_provider_call, for kernels that have
 * <linux/cleanup.h>. A variable of such a class enters when it is defined, is NULL if
 * enter returned false, and exits when it goes out of scope:
 *
 *	CLASS(nmr_client_call, call)(binding);
 *	if (!call)
 *		return -ENODEV;
 */
static inline struct nmr_binding *__nmr_call_begin(struct nmr_binding *binding,
						   enum nmr_side caller)
{
	return __nmr_call_enter(binding, caller) ? binding : NULL;
}

static inline void __nmr_call_end(struct nmr_binding *binding, enum nmr_side caller)
{
	if (binding)
		__nmr_call_exit(binding, caller);
}

DEFINE_CLASS(nmr_client_call, struct nmr_binding *,
	     __nmr_call_end(_T, NMR_CLIENT),
	     __nmr_call_begin(binding, NMR_CLIENT),
	     struct nmr_binding *binding)
DEFINE_CLASS(nmr_provider_call, struct nmr_binding *,
	     __nmr_call_end(_T, NMR_PROVIDER),
	     __nmr_call_begin(binding, NMR_PROVIDER),
	     struct nmr_binding *binding)

#define __scoped_nmr_call(_class, binding)				\
	for (CLASS(_class, __call)(binding), *__done = NULL;		\
	     __call && !__done; __done = (void *)1)

/**
 * scoped_nmr_client_call() - enter a binding for one statement
 * @binding: as for nmr_client_call_enter()
 *
 * The macro enters, executes the statement that follows, and exits, also if the statement
 * is left by break, return or goto. If enter fails, the macro skips the statement.
 *
 * Context: Any context but NMI, as for nmr_client_call_enter() and nmr_client_call_exit().
 */
#define scoped_nmr_client_call(binding)					\
	__scoped_nmr_call(nmr_client_call, binding)

/**
 * scoped_nmr_provider_call() - enter a binding for one statement
 * @binding: as for nmr_provider_call_enter()
 *
 * The macro does what scoped_nmr_client_call() does, with the sides exchanged.
 *
 * Context: Any context but NMI, as for nmr_provider_call_enter() and
 * nmr_provider_call_exit().
 */
#define scoped_nmr_provider_call(binding)				\
	__scoped_nmr_call(nmr_provider_call, binding)
#endif /* DEFINE_CLASS */

/**
 * module_nmr_client() - define module_init() and module_exit() of a client
 * @chars:	name of the variable of type &struct nmr_client_characteristics
 * @ctx:	client context
 *
 * The macro is for a module that registers one client and does nothing else. The handle is
 * the static variable @chars with the suffix _handle.
 */
#define module_nmr_client(chars, ctx)					\
	__module_nmr(client, chars, ctx)

/**
 * module_nmr_provider() - define module_init() and module_exit() of a provider
 * @chars:	name of the variable of type &struct nmr_provider_characteristics
 * @ctx:	provider context
 *
 * The macro is for a module that registers one provider and does nothing else. The handle
 * is the static variable @chars with the suffix _handle.
 */
#define module_nmr_provider(chars, ctx)					\
	__module_nmr(provider, chars, ctx)

#define __module_nmr(side, chars, ctx)					\
static struct nmr_##side##_handle chars##_handle;			\
static int __init chars##_init(void)					\
{									\
	return nmr_register_##side(&(chars), ctx, &chars##_handle);	\
}									\
module_init(chars##_init);						\
static void __exit chars##_exit(void)					\
{									\
	nmr_deregister_##side##_sync(chars##_handle);			\
}									\
module_exit(chars##_exit)

/**
 * MODULE_ALIAS_NMR_PROVIDER() - declare that a module provides an NPI
 * @guid: GUID of the NPI as a string literal in lower case, as printk() prints it by pUl
 *
 * The uevent of a client's registration has MODALIAS=nmr-provider:GUID, so udev loads the
 * module when a client of the NPI registers. A request_module() for the alias loads the
 * module, too. An attach callback must not call that function: the callback may run
 * inside the module_init() that modprobe waits for. A module that needs it calls it before
 * it registers, or from a work item.
 */
#define MODULE_ALIAS_NMR_PROVIDER(guid) MODULE_ALIAS("nmr-provider:" guid)

#endif /* _LINUX_NMR_H */
