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
#include <linux/slab.h>
#include <linux/types.h>
#include <linux/uuid.h>
#include <linux/version.h>

#ifdef __has_include	/* sparse lacks it */
#if __has_include("linux/cleanup.h")
#include <linux/cleanup.h>
#endif
#endif

/**
 * DOC: Overview
 *
 * A *provider* implements a network programming interface (NPI), and a *client* calls it.
 * A GUID names the NPI. Providers and clients register with the registrar. The registrar
 * attaches every client to every provider of the same NPI. While a client and a provider
 * attach, each hands the other a binding context and a dispatch table. From then on they
 * call each other directly.
 *
 * When either side leaves, the registrar closes the binding, so that no new call can
 * enter. The registrar waits for an RCU grace period, and calls the detach callbacks of both
 * sides. When both sides have detached and the calls in flight have returned, it calls the
 * cleanup callbacks of both sides. Then the wait for the deregistration returns, and the
 * module may unload.
 *
 * The terms and the model are those of the Windows Network Module Registrar:
 * https://learn.microsoft.com/windows-hardware/drivers/network/network-module-registrar2
 */

/**
 * DOC: Usage
 *
 * The shortest correct use is the same for either side:
 *
 * * module_init() calls nmr_register_client() or nmr_register_provider() as its last
 *   step. Attach callbacks may run, and calls may arrive, before the register call returns.
 * * The module wraps each call to its peer in enter and exit. A client that has a slot::
 *
 *	if (nmr_slot_enter(&slot, &call)) {
 *		dispatch = call.dispatch;
 *		dispatch->op(call.context);
 *		nmr_slot_exit(&call);
 *	}
 *
 *   A side that keeps its binding calls nmr_client_call_enter() or nmr_provider_call_enter()
 *   instead. nmr_provider_for_each_client() and nmr_client_for_each_provider() enter for each
 *   peer.
 * * module_exit() calls nmr_deregister_client_sync() or nmr_deregister_provider_sync()
 *   as its first step.
 *
 * A module that wraps each call needs no counter, no lock and no detach callback. The
 * registrar protects the callee of a call: its text, its binding context and its
 * dispatch table. The registrar does not protect the caller's text: after the sync,
 * module_exit() stops the threads, timers, work items and RCU callbacks of the module.
 *
 * In this text *enter*, *exit* and *complete* are the functions of either side, such as
 * nmr_client_call_enter(), nmr_client_call_exit() and nmr_client_detach_provider_complete().
 */

/**
 * DOC: Threads that need the handle
 *
 * If threads of a module use the handle, module_init() creates them before it registers
 * (kthread_create()), and wakes them when registering has returned 0 (wake_up_process()).
 * Registering then is still the last step that can fail. The registrar writes the handle
 * before it calls the first callback, so callbacks may use the handle.
 *
 * module_exit() deregisters first. A thread that sleeps in nmr_client_wait_for_binding()
 * then returns with %-ESHUTDOWN, and kthread_stop() ends it.
 */

/**
 * DOC: Versions
 *
 * The register macros pass %NMR_VERSION and the size of the characteristics, as the module
 * was built with them. If nmr.ko was built with another version or size, register returns
 * %-EINVAL, and the kernel log names the module and both versions. The CRCs of exported
 * functions (CONFIG_MODVERSIONS) depend on what this header declares, and not on the private
 * structures of nmr.ko.
 */

/**
 * DOC: Offers
 *
 * An *offer* is one attempt to attach a client to a provider. For each client and each provider
 * that are registered at the same time, the registrar makes one offer. If an attach callback
 * declines, the pair is not offered again. A pair is *deferred* if an attach callback returned
 * %-EPROBE_DEFER, or if its binding was detached with %NMR_DETACH_FALLBACK. The registrar offers a
 * deferred pair again when
 *
 * * an attached binding of either side has been cleaned up (not the pair's own binding),
 * * another provider of the NPI registers, or
 * * nmr_client_reoffer() or nmr_provider_reoffer() is called for either side.
 */

/**
 * DOC: Callbacks
 *
 * The registrar calls all callbacks in process context, and they may sleep. It holds none of
 * its locks across a callback. Callbacks of different bindings run concurrently.
 *
 * Attach callbacks and client_attached run in the task that registers. If the offer is made
 * later, they run on the registrar's workqueue. The provider's attach callback runs inside
 * the client's attach callback, in the same task.
 *
 * Callbacks nest if an attach callback registers. At most 8 offers nest on one stack, each
 * with the attach callbacks of both sides. If a callback of the eighth registers, the
 * workqueue makes the offers of that register call that call a module, and the register call
 * waits for each of them. So layers of any depth, each of which registers when it is attached,
 * overflow no stack. In such a callback a wait returns %-EDEADLK as it would in the task that
 * registers.
 *
 * Detach and cleanup callbacks always run on the registrar's workqueue, and never on the
 * stack of a caller of the API. The workqueue is per-CPU, %WQ_CPU_INTENSIVE, and not
 * %WQ_MEM_RECLAIM. The registrar queues callbacks on CPUs that are not isolated. A detach
 * callback that would have to wait should return %-EINPROGRESS: a callback that sleeps
 * occupies a worker, and a pending detach does not.
 *
 * Every callback may call every function of the API. If a wait would wait for the callback
 * itself, it returns %-EDEADLK. A callback that waits occupies a worker, and the number of
 * workers is limited: see rule 12 in Documentation/driver-api/nmr.rst.
 *
 * These deadlock:
 *
 * * Two callbacks wait for each other's registrations.
 * * A call waits for a deregistration that waits for the call.
 * * A task waits with a lock held that a callback, or a call in flight, takes.
 * * A task holds a lock across register or nmr_client_attach_provider(), and an attach
 *   callback takes the lock.
 *
 * lockdep reports a pattern when both halves of it have run once. It does not report
 *
 * * a wait for a registration, inside a callback or a call of another registration, if the same
 *   line of source made both registrations,
 * * nmr_client_wait_for_binding() and nmr_slot_enter_wait(),
 * * the wait of a register call that is nested 8 deep, or
 * * a wait inside a call that was handed over.
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
 * DOC: Calls
 *
 * A binding has two call gates. The client's gate counts the calls that the client makes to
 * the provider. The provider's gate counts the calls that the provider makes to the client.
 *
 * A gate opens when its *callee* has attached:
 *
 * * The client's gate opens when the provider's attach callback has returned 0, that is,
 *   inside the client's attach callback.
 * * The provider's gate opens when the client's attach callback has returned 0. The callback
 *   client_attached tells the provider.
 *
 * A caller that enters sees everything that the callee did while it attached. Both gates
 * close when the binding closes, and never open again. A call may sleep. It may exit on
 * another CPU and in another task than it entered. Any number of calls may be in flight
 * concurrently. Many calls in a row may share one enter and one exit.
 *
 * Enter, exit, complete, get and put may be called in any context but NMI, also on PREEMPT_RT.
 * The caller may hold a raw_spinlock_t, but not one of the scheduler.
 *
 * If a call exits in another task (a work item, an interrupt, another system call), the task
 * that entered hands the call over: see nmr_client_call_handover().
 *
 * A side has *detached* when both of these hold:
 *
 * * Its detach callback has returned 0, or its complete function was called.
 * * The calls that it made have exited.
 *
 * Therefore a module that wraps each call in enter and exit needs no detach callback. A module
 * that counts its calls itself returns %-EINPROGRESS and calls complete. A module may do both.
 *
 * An RCU reader that does not sleep need not enter, and has nothing to exit::
 *
 *	rcu_read_lock();
 *	if (nmr_client_may_call_rcu(binding))
 *		dispatch->op(provider_binding_context);
 *	rcu_read_unlock();
 *
 * If the kernel has <linux/cleanup.h> (Linux 6.5, and stable releases of older series),
 * CLASS(nmr_client_call, call)(binding) exits when its scope ends. If the kernel is also compiled
 * as C11 (Linux 5.18 or later), scoped_nmr_client_call() enters and exits for one statement.
 */

/**
 * DOC: Slots
 *
 * A *slot* holds the provider that a client has now. The client defines it with
 * DEFINE_NMR_SLOT() and names it in its characteristics. It then has one binding at a time
 * (max_bindings is 1). The registrar fills the slot when the binding has attached, and empties
 * it when the binding closes. nmr_slot_enter() enters the binding that is in the slot, so the
 * client publishes no pointer, takes no reference and needs no RCU. After failover the next
 * enter gets the next provider.
 *
 * A client may have a slot and callbacks. The attach callback decides about an offer, and the
 * slot follows. The slot is filled after the attach callbacks and client_attached have
 * returned. Until the slot is filled, the client calls nmr_client_call_enter().
 *
 * The counts of calls belong to the slot. Opening them again for the next provider interrupts
 * each CPU, as closing does.
 *
 * A module that registers any number of clients, such as one for each network namespace, has a
 * slot in the object of each: nmr_slot_init() and nmr_slot_free().
 */

/**
 * DOC: Lifetime of a binding
 *
 * For a side, the pointer to a binding is valid from the start of its attach callback. It is
 * valid until one RCU grace period after its cleanup callback has returned. If the attach
 * failed, and the side gets no cleanup callback, the grace period begins when the attach
 * callback returns. A side without an attach callback gets the pointer in &nmr_call.binding,
 * which is valid during the call. If a side has no cleanup callback, the grace period begins
 * when that callback would have run.
 *
 * Therefore a module may publish the pointer with rcu_assign_pointer(), if it clears the
 * pointer in its cleanup callback or earlier. A reader may then use rcu_dereference() and
 * enter in one RCU read-side critical section. nmr_binding_get() in that section keeps the
 * object longer. On a closed binding enter returns false.
 *
 * A reference delays no wait, and no unload of a module that uses the registrar. It pins
 * nmr.ko until nmr_binding_put(): rmmod nmr fails and says that the module is in use. The
 * file /sys/kernel/debug/nmr/references lists the bindings that have ended and are still
 * referenced.
 */

/**
 * DOC: What module_exit() has to stop
 *
 * The gates protect the callee of a call. The registrar does not protect the caller's text.
 * When the wait has returned, a task or an interrupt may still be returning from complete or
 * exit into the module. After the wait, module_exit() stops the threads, timers, work items
 * and RCU callbacks that may call these functions: kthread_stop(), flush_work(),
 * rcu_barrier().
 *
 * Complete is the last thing that a module does for a binding. When the function returns, the
 * cleanup callback may have run.
 */

/**
 * DOC: Waits
 *
 * A wait for a deregistration sleeps in TASK_IDLE. Signals do not end it, khungtaskd does not
 * report it, and the task does not add to the load. nmr_client_wait_for_binding() and
 * nmr_slot_enter_wait() sleep interruptibly.
 *
 * The freezer of suspend can freeze a task in either wait, unless the task is inside a callback or
 * holds a lock that lockdep knows of. So a machine can suspend while rmmod waits. The freezer of
 * cgroup v2 works by signals: it ends an interruptible wait, and does not freeze the other one.
 *
 * Any number of tasks may wait, any number of times.
 */

/**
 * DOC: Misuse
 *
 * The registrar warns (WARN) of each of these, once per registration and kind, and ignores
 * the misuse otherwise. It writes at most ten such warnings in five seconds. A warning names
 * the registration, its module and the binding concerned, and says what to do.
 *
 * * A side calls complete while nothing is pending: before its detach callback begins, or a
 *   second time.
 * * A side calls complete in its detach callback, and the callback returns 0.
 * * A side exits more calls than it entered. From then on the count of the binding is one
 *   short: cleanup may begin while a call is in flight.
 * * A detach callback returns neither 0 nor %-EINPROGRESS.
 * * An attach callback returns a positive value. A client's attach callback returns 0, and
 *   nmr_client_attach_provider() has not returned 0.
 * * A callback calls a sync function that would have to wait for the callback.
 * * A module unloads while it is registered, or fails in module_init() after it registered.
 * * A module unloads after it has deregistered, and has not waited.
 *
 * In the last two cases the registrar deregisters, and waits before the module's text is
 * freed. It cannot protect data that the module has freed by then.
 *
 * The registrar also warns of these, without naming a registration:
 *
 * * A call exits an empty slot. The registrar warns once. If another binding is in the slot by
 *   then, the registrar does not notice, and the count of that binding is one short.
 * * A module calls complete with NULL. The registrar warns once.
 * * A module enters or exits on a CPU that is not online. The registrar warns once, if the
 *   kernel has lockdep, or if the module was built with NMR_DEBUG.
 *
 * If a register call gets NULL where none is allowed, it returns %-EINVAL. The kernel log says
 * which pointer is NULL, once for each place in the source that registers. Enter, exit,
 * handover and the test functions for RCU readers do not test for NULL.
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
 * @id: number, never issued twice and never 0; also the name of the directory in sysfs
 *
 * The handle is a number. Therefore the registrar can distinguish a stale or an invented
 * handle from a live one without touching freed memory.
 */
struct nmr_client_handle {
	u64 id;
};

/**
 * struct nmr_provider_handle - names one registration of a provider
 * @id: number, never issued twice and never 0; also the name of the directory in sysfs
 */
struct nmr_provider_handle {
	u64 id;
};

/**
 * struct nmr_registration_instance - identity of a registration, as its peers see it
 * @npi_id:		GUID of the NPI; the registrar copies it
 * @module_id:		GUID by which peers recognise the module; the registrar copies it.
 *			Several registrations may have the same GUID.
 * @number:		number that distinguishes implementations of one module; 0 if the
 *			module has only one
 * @npi_specific:	NPI-specific characteristics, or NULL. The registrar does not copy
 *			them. The module keeps them until the wait for deregistration has
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
 * struct nmr_endpoint - binding context and dispatch table that a side hands to its peer
 * @binding_context:	pointer that the registrar passes to this side's other callbacks, and
 *			that the peer passes to the functions in @dispatch; may be NULL
 * @dispatch:		functions (and data) that the NPI defines for this side; may be
 *			NULL
 *
 * The side that hands the endpoint over must keep the memory of both pointers until the
 * registrar calls its cleanup callback. The peer may dereference the pointers in its attach
 * callback. Later the peer may dereference them only in calls: between enter and exit, or in
 * an RCU read-side critical section, see nmr_client_may_call_rcu().
 */
struct nmr_endpoint {
	void		*binding_context;
	const void	*dispatch;
};

/**
 * enum nmr_detach_reason - why a binding is detached
 * @NMR_DETACH_CLIENT_DEREGISTERED:	the client began to leave
 * @NMR_DETACH_PROVIDER_DEREGISTERED:	the provider began to leave
 * @NMR_DETACH_ATTACH_FAILED:	the client's attach callback failed after the provider's
 *				attach callback had succeeded; only the provider is called
 * @NMR_DETACH_FALLBACK:	only this binding ends; the client should use another
 *				provider, and the registrar offers the pair again later
 * @NMR_DETACH_ABORT:		only this binding ends; the registrar does not offer the
 *				pair again
 *
 * The first reason wins. Both sides get the same reason.
 */
enum nmr_detach_reason {
	NMR_DETACH_CLIENT_DEREGISTERED,
	NMR_DETACH_PROVIDER_DEREGISTERED,
	NMR_DETACH_ATTACH_FAILED,
	NMR_DETACH_FALLBACK,
	NMR_DETACH_ABORT,
};

struct nmr_slot;

/**
 * struct nmr_client_characteristics - callbacks and identity of a client
 * @attach_provider: Attach to a provider of the NPI, or decline. Optional: a client without
 *	this callback attaches to each provider that it is offered, and hands over @endpoint.
 *	A client that wants the provider calls nmr_client_attach_provider() in this
 *	callback and in this task, and returns what that function returned. The callback
 *	returns
 *
 *	* %0 - attached
 *	* %-ENODEV or %-ECANCELED - declined; the registrar logs nothing
 *	* %-EPROBE_DEFER - deferred; the registrar offers the pair again later
 *	* another negative errno - error; the registrar logs it, and the pair counts as
 *	  declined
 *
 *	If the callback returns a positive value, or 0 without success of
 *	nmr_client_attach_provider(), this is misuse: the registrar warns, and the pair
 *	counts as declined. If the provider has deferred the pair, it stays deferred, whatever
 *	this callback returns.
 *
 *	A client that fails after nmr_client_attach_provider() returned 0 frees what it
 *	allocated, as a failed probe() does. The registrar does not call its detach and
 *	cleanup callbacks for that binding.
 *
 *	The callback runs in process context and may sleep. It runs in the task that
 *	registers, or on the registrar's workqueue, see "Callbacks" above. The callback may
 *	run inside a provider's module_init(). Therefore it must not wait for a module to
 *	load: neither by request_module() nor otherwise.
 * @detach_provider: End the use of the provider. Optional: NULL acts as a callback that
 *	returns 0. The binding is closed: enter refuses calls, calls in flight may still run,
 *	and calls covered by nmr_client_may_call_rcu() have returned. The callback returns
 *
 *	* %0 - the client has nothing left but calls that it has entered and not yet exited
 *	* %-EINPROGRESS - the client calls nmr_client_detach_provider_complete() when it is
 *	  done, or has called it already
 *
 *	If the callback returns another value, this is misuse: the registrar warns, and acts
 *	as if the callback had returned 0.
 *
 *	The callback runs on the registrar's workqueue, in process context, and may sleep.
 *	A callback that would have to wait should return %-EINPROGRESS: a pending detach
 *	occupies no worker.
 * @cleanup_binding_context: Free the binding context. Optional. The registrar calls it when
 *	both sides have detached and no call of either side is in flight. It is the last
 *	callback of a binding for the client. It runs on the registrar's workqueue, in
 *	process context, and may sleep.
 * @instance: identity of the client
 * @max_bindings: maximum number of bindings, or 0 for no limit. Attaching bindings count.
 *	While the client has this many bindings, the registrar withholds offers. It makes
 *	them when a binding of the client has ended. With a @slot, 0 stands for 1.
 * @endpoint: what the client hands over if its attach callback passes no other endpoint to
 *	nmr_client_attach_provider(); copied
 * @slot: slot that the registrar keeps filled with the provider that the client has now, see
 *	"Slots" above; or NULL
 */
struct nmr_client_characteristics {
	int  (*attach_provider)(struct nmr_binding *binding, void *client_context,
				const struct nmr_registration_instance *provider);
	int  (*detach_provider)(void *client_binding_context,
				enum nmr_detach_reason reason);
	void (*cleanup_binding_context)(void *client_binding_context);
	struct nmr_registration_instance instance;
	u32 max_bindings;
	struct nmr_endpoint endpoint;
	const struct nmr_slot *slot;
};

/**
 * struct nmr_provider_characteristics - callbacks and identity of a provider
 * @attach_client: Attach to a client, or decline. Optional: a provider without this
 *	callback accepts each client, and hands over @endpoint. The parameter instance is the
 *	identity of the client. The parameter client is a copy of the client's endpoint. The
 *	copy is valid until the provider's cleanup callback has returned. If attach_client
 *	fails, the copy is valid until attach_client returns. The callback may change the
 *	parameter provider, which the registrar has set to @endpoint. The callback returns
 *
 *	* %0 - attached
 *	* %-ENODEV or %-ECANCELED - declined; the registrar logs nothing
 *	* %-EPROBE_DEFER - deferred, whatever the client's attach callback returns then; the
 *	  registrar offers the pair again later
 *	* another negative errno - error; the registrar logs it, and the pair counts as
 *	  declined
 *
 *	If the callback returns a positive value, this is misuse: the registrar warns, and
 *	the pair counts as declined.
 *
 *	When the callback has returned 0 the client may call, even before the client's own
 *	attach callback has returned. The provider may call later, see client_attached.
 *
 *	The callback runs inside the client's attach callback and in the same task: in
 *	process context, and it may sleep. The same limits apply: the callback must not wait
 *	for a module to load.
 * @client_attached: Note that both sides have attached. Optional. From then on the
 *	provider may call the client, until the binding closes.
 *
 *	The registrar makes this call if, and only if, the provider's gate has opened. The
 *	gate does not open if a side has begun to leave, or if nmr_detach_binding() has been
 *	called. If the binding closes after the gate has opened, the registrar still makes
 *	this call, and calls the detach callbacks afterwards. A provider without this
 *	callback learns the same from nmr_provider_call_enter().
 *
 *	The callback runs in process context, in the task of the attach callbacks, and may
 *	sleep.
 * @detach_client: End the use of the client. Optional. The callback returns what
 *	&nmr_client_characteristics.detach_provider returns. It runs in the same context,
 *	after the client's detach callback has returned. After %-EINPROGRESS the provider
 *	calls nmr_provider_detach_client_complete().
 * @cleanup_binding_context: Free the binding context. Optional. It runs as
 *	&nmr_client_characteristics.cleanup_binding_context does, after the client's
 *	cleanup callback has returned.
 * @instance: identity of the provider
 * @endpoint: what the provider hands over to each client, unless attach_client changes it;
 *	copied
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
	struct nmr_endpoint endpoint;
};

/* Registration. The macros pass the calling module, and a lock class for lockdep. */

/*
 * Version of the structures and of the inline functions in this header. nmr.ko refuses a
 * module that was built with another version, because the gates of such a module would not
 * close.
 */
#define NMR_VERSION	2

/*
 * Describe a place in a module's source that registers. The register macros define it.
 *
 * @version, @size: NMR_VERSION and the size of the characteristics as the module was built
 *		    with them. These two and @modname come first in every version.
 * @owner:	    the module, or NULL if it is built in
 * @told:	    bit 0: the kernel log has said why registering fails here
 * @key:	    lock class of the registrations that are made here
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
 * The attach callbacks run in the calling task. If the call is nested 8 deep in attach
 * callbacks, they run on the registrar's workqueue, and the call waits for them.
 *
 * If the client has max_bindings bindings, or if an allocation for an offer fails, the
 * registrar withholds the offer. It makes the offer later, on its workqueue.
 *
 * Built-in code registers at fs_initcall() or later. At subsys_initcall() the order of linking
 * decides whether the registrar is initialised.
 *
 * If the function returns %-EINVAL, the kernel log has the reason, once for each place in the
 * source.
 *
 * Context: Process context. May sleep. The caller must not hold a lock that an attach
 * callback of either side takes.
 *
 * Return:
 * * %0 - the client is registered; it must be deregistered before its module unloads
 * * %-EINVAL - @c, @handle, npi_id or module_id is NULL; the client has a slot, and
 *   max_bindings is above 1; or the module was built with another version of this header
 * * %-EBUSY - another client has the slot, or has not been waited for after it was
 *   deregistered
 * * %-ENOMEM - allocation failure; no callback has run, and nothing is registered; the
 *   number of a handle may have been used up
 * * %-ENODEV - the registrar is not initialised: it is built in and the caller runs too early,
 *   or its initialisation failed
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
 * nmr_register_client() does with the sides exchanged. The registrar also offers the
 * deferred pairs of the NPI again, on its workqueue.
 *
 * If the function returns %-EINVAL, the kernel log has the reason, once for each place in the
 * source.
 *
 * Context: Process context. May sleep. The caller must not hold a lock that an attach
 * callback of either side takes.
 *
 * Return:
 * * %0 - the provider is registered; it must be deregistered before its module unloads
 * * %-EINVAL - @c, @handle, npi_id or module_id is NULL; or the module
 *   was built with another version of this header
 * * %-ENOMEM - allocation failure; no callback has run, and nothing is registered; the
 *   number of a handle may have been used up
 * * %-ENODEV - the registrar is not initialised, see nmr_register_client()
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
 * The function closes all bindings of the client. If a call of either side begins to enter
 * after the function has returned, enter refuses it. A call that began to enter earlier may
 * still succeed, and the registrar waits for it. After the function has returned, no offer to
 * the client begins. Callbacks and calls in flight may still run. The detach and cleanup
 * callbacks run on the registrar's workqueue. The caller waits for them with
 * nmr_wait_for_client_deregister_complete().
 *
 * If two tasks call the function concurrently, the second one helps the first. All gates are
 * closed when either call returns. The cost is linear in the number of the client's bindings.
 * The function allocates no memory.
 *
 * Context: Process or softirq context. Does not sleep. Takes a spinlock_t.
 *
 * Return:
 * * %-EINPROGRESS - deregistration has started; the caller must wait before its module
 *   unloads
 * * %-EALREADY - deregistration has started or finished before
 * * %-EINVAL - the handle was never issued
 */
int nmr_deregister_client(struct nmr_client_handle handle);

/**
 * nmr_deregister_provider() - start to deregister a provider
 * @handle: handle of the provider
 *
 * The function does what nmr_deregister_client() does, with the sides exchanged. The caller
 * waits with nmr_wait_for_provider_deregister_complete().
 *
 * Context: Process or softirq context. Does not sleep. Takes a spinlock_t.
 *
 * Return:
 * * %-EINPROGRESS - deregistration has started; the caller must wait before its module
 *   unloads
 * * %-EALREADY - deregistration has started or finished before
 * * %-EINVAL - the handle was never issued
 */
int nmr_deregister_provider(struct nmr_provider_handle handle);

/**
 * nmr_wait_for_client_deregister_complete() - wait until a client is deregistered
 * @handle: handle of the client, which must have been deregistered
 *
 * If the function returns 0, no callback of the client runs or will run, and nothing of the
 * client is left in sysfs. The return is an acquire: the caller sees everything that the
 * callbacks did.
 *
 * Any number of tasks may wait, any number of times. A callback of another registration may
 * wait, too. It occupies a worker while it waits, and up to 500 callbacks may wait
 * concurrently.
 *
 * The task sleeps in TASK_IDLE. Signals do not end the wait. If the task is outside of
 * callbacks and holds no lock that lockdep knows of, the wait is freezable. If a binding has
 * not drained after nmr.stuck_seconds, the kernel log says what the binding waits for.
 *
 * Context: Process context. May sleep. The caller must not hold a lock that a callback of
 * the client's bindings, or a call in flight, takes. The caller must not be inside a call
 * that the deregistration waits for. "Callbacks" above says what lockdep reports.
 *
 * Return:
 * * %0 - nothing of the client is left; also if it finished long ago
 * * %-EINVAL - the handle was never issued, or the client has not been deregistered; the
 *   function tests this first
 * * %-EDEADLK - the task is inside a callback, of either side, of one of the client's
 *   bindings
 */
int nmr_wait_for_client_deregister_complete(struct nmr_client_handle handle);

/**
 * nmr_wait_for_provider_deregister_complete() - wait until a provider is deregistered
 * @handle: handle of the provider, which must have been deregistered
 *
 * The function does what nmr_wait_for_client_deregister_complete() does, with the sides
 * exchanged.
 *
 * Context: Process context. May sleep, in TASK_IDLE. The caller must not hold a lock that
 * a callback of the provider's bindings, or a call in flight, takes.
 *
 * Return:
 * * %0 - nothing of the provider is left; also if it finished long ago
 * * %-EINVAL - the handle was never issued, or the provider has not been deregistered; the
 *   function tests this first
 * * %-EDEADLK - the task is inside a callback, of either side, of one of the provider's
 *   bindings
 */
int nmr_wait_for_provider_deregister_complete(struct nmr_provider_handle handle);

/**
 * nmr_wait_for_client_deregister_complete_timeout() - wait for a client with a timeout
 * @handle:  handle of the client, which must have been deregistered
 * @timeout: time to wait, in jiffies; 0 tests without waiting; %MAX_SCHEDULE_TIMEOUT waits
 *	     without a limit
 *
 * The function waits as nmr_wait_for_client_deregister_complete() does, at most for
 * @timeout. After a timeout the caller may call it again.
 *
 * Context: Process context. May sleep, in TASK_IDLE. The caller must not hold a lock that
 * a callback of the client's bindings, or a call in flight, takes.
 *
 * Return:
 * * %0 - nothing of the client is left; also if it finished long ago
 * * %-ETIMEDOUT - @timeout has passed
 * * %-EINVAL - the handle was never issued, or the client has not been deregistered; the
 *   function tests this first
 * * %-EDEADLK - the task is inside a callback, of either side, of one of the client's
 *   bindings
 */
int nmr_wait_for_client_deregister_complete_timeout(struct nmr_client_handle handle,
						    unsigned long timeout);

/**
 * nmr_wait_for_provider_deregister_complete_timeout() - wait for a provider with a timeout
 * @handle:  handle of the provider, which must have been deregistered
 * @timeout: time to wait, in jiffies; 0 tests without waiting; %MAX_SCHEDULE_TIMEOUT waits
 *	     without a limit
 *
 * The function waits as nmr_wait_for_client_deregister_complete() does, at most for
 * @timeout. After a timeout the caller may call it again.
 *
 * Context: Process context. May sleep, in TASK_IDLE. The caller must not hold a lock that
 * a callback of the provider's bindings, or a call in flight, takes.
 *
 * Return:
 * * %0 - nothing of the provider is left; also if it finished long ago
 * * %-ETIMEDOUT - @timeout has passed
 * * %-EINVAL - the handle was never issued, or the provider has not been deregistered; the
 *   function tests this first
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
 * nmr_wait_for_client_deregister_complete() does. module_exit() calls it first.
 *
 * If the client was deregistered before, the function only waits. If the client has finished,
 * the function returns at once. If the handle was never issued, the function logs an error
 * and returns.
 *
 * If the task is inside a callback of one of the client's bindings, the function cannot wait.
 * It then warns, and returns with the deregistration started.
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
 * @timeout: time to wait, in jiffies; 0 tests without waiting; %MAX_SCHEDULE_TIMEOUT waits
 *	     without a limit
 *
 * If the function returns 0, the caller sees everything that the attach callbacks of that
 * binding did. The binding may close at any time, so each call still has to enter.
 *
 * A signal ends the wait. If the task is outside of callbacks and holds no lock that lockdep
 * knows of, the wait is freezable, and a suspend or a cgroup v1 freezer does not end it. The time
 * for which the task is frozen counts. Otherwise the freezer may end the wait as a signal does, and
 * so does the freezer of cgroup v2 in any case.
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
 * run on the registrar's workqueue. If a deferred pair is being offered concurrently, or if
 * the client has max_bindings bindings, the registrar remembers the request.
 *
 * Context: Process or softirq context. Does not sleep. Takes a spinlock_t.
 *
 * Return:
 * * %0 - the registrar makes the offers on its workqueue
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
 * * %0 - the registrar makes the offers on its workqueue
 * * %-EINVAL - the handle was never issued
 * * %-ESHUTDOWN - the provider is deregistering or finished
 */
int nmr_provider_reoffer(struct nmr_provider_handle handle);

/* Bindings */

/**
 * nmr_client_attach_provider() - ask the offered provider to attach
 * @binding:  binding that the registrar passed to the client's attach callback
 * @client:   endpoint for the provider; NULL acts as the endpoint of the characteristics
 * @provider: receives the provider's endpoint, only if the function returns 0; or NULL
 *
 * The client calls this once, in its attach callback. The provider's attach callback runs
 * inside of it, in the same task. The registrar copies @client first, so @client may be on
 * the stack. The provider sees the copy, which is valid until the provider's cleanup callback
 * has returned.
 *
 * If the function returns 0, the client may call the provider. If the client then fails, it
 * frees what it allocated, and the registrar detaches the provider.
 *
 * Context: Process context, in the task that runs the attach callback. May sleep. The
 * caller must not hold a lock that the provider's attach callback takes.
 *
 * Return:
 * * %0 - the provider has attached
 * * %-ENODEV - the provider declined, or its callback returned a positive value, which is
 *   misuse
 * * %-ECANCELED - the provider declined, or a side began to leave before the provider was
 *   asked
 * * %-EINVAL - @binding is NULL, the task is not inside the attach callback of @binding, or
 *   this is a second call
 * * a negative errno, possibly one of the above - the value that the provider's attach
 *   callback returned
 */
int nmr_client_attach_provider(struct nmr_binding *binding,
			       const struct nmr_endpoint *client,
			       struct nmr_endpoint *provider);

/**
 * nmr_client_detach_provider_complete() - complete a pending detach of the client
 * @binding: binding of which the client's detach callback has returned %-EINPROGRESS, or runs
 *	     and will return it
 *
 * The call is the last thing that the client does for the binding: when the function returns,
 * the client's cleanup callback may have run. The call is a full barrier: the cleanup
 * callbacks of both sides see everything that the caller did before. After the wait,
 * module_exit() stops the tasks and interrupts that may still be returning from this
 * function.
 *
 * If no detach is pending, the function warns once per registration, and does nothing. If
 * @binding is NULL, the function warns once, and does nothing.
 *
 * Context: Any context but NMI. May be called under a raw_spinlock_t, except the
 * scheduler's: the function may queue work.
 */
void nmr_client_detach_provider_complete(struct nmr_binding *binding);

/**
 * nmr_provider_detach_client_complete() - complete a pending detach of the provider
 * @binding: binding of which the provider's detach callback has returned %-EINPROGRESS, or runs
 *	     and will return it
 *
 * The function does what nmr_client_detach_provider_complete() does, with the sides
 * exchanged.
 *
 * Context: Any context but NMI. May be called under a raw_spinlock_t, except the
 * scheduler's: the function may queue work.
 */
void nmr_provider_detach_client_complete(struct nmr_binding *binding);

/**
 * nmr_detach_binding() - detach one binding, and stay registered
 * @binding: a valid binding of the caller
 * @reason:  %NMR_DETACH_FALLBACK: the registrar offers the pair again later;
 *	     %NMR_DETACH_ABORT: the registrar does not offer the pair again
 *
 * If a call of either side begins to enter after the function has returned, enter refuses it.
 * The detach and cleanup callbacks run on the registrar's workqueue.
 *
 * If the binding is still attaching, the attach continues, and detach follows. If that attach
 * fails, the registrar forgets %NMR_DETACH_FALLBACK and keeps %NMR_DETACH_ABORT.
 *
 * The caller paces %NMR_DETACH_FALLBACK. Two providers that use it in turn hand a client back
 * and forth as fast as grace periods pass.
 *
 * Context: Process or softirq context. Does not sleep. Takes a spinlock_t.
 *
 * Return:
 * * %0 - detach has started
 * * %-EALREADY - the binding was closed already
 * * %-EINVAL - @binding is NULL, or @reason is neither %NMR_DETACH_FALLBACK nor
 *   %NMR_DETACH_ABORT
 */
int nmr_detach_binding(struct nmr_binding *binding,
		       enum nmr_detach_reason reason);

/**
 * nmr_binding_get() - take a reference to a binding
 * @binding: a valid binding, or NULL; an RCU read-side critical section is enough to keep it
 *	     valid
 *
 * A module needs a reference to use @binding beyond its cleanup callback and one RCU grace
 * period. The reference keeps the object, not the peer: after the binding has closed, enter
 * returns false. The reference delays no deregistration and no unload of a module that uses
 * the registrar. It pins nmr.ko until nmr_binding_put().
 *
 * Context: Any context but NMI. May be called under a raw_spinlock_t.
 *
 * Return: @binding; NULL if @binding is NULL.
 */
struct nmr_binding *nmr_binding_get(struct nmr_binding *binding);

/**
 * nmr_binding_put() - drop a reference to a binding
 * @binding: binding that nmr_binding_get() returned; NULL is a no-op
 *
 * The registrar frees the binding one RCU grace period after the last reference was dropped.
 *
 * Context: Any context but NMI. May be called under a raw_spinlock_t, except the
 * scheduler's.
 */
void nmr_binding_put(struct nmr_binding *binding);

/**
 * nmr_binding_id() - return the number of a binding
 * @binding: a valid binding, or NULL
 *
 * The directory in sysfs, the tracepoints and the kernel log have the same number.
 *
 * Context: Any context.
 *
 * Return: A number that no other binding has or will have; 0 if @binding is NULL.
 */
u64 nmr_binding_id(const struct nmr_binding *binding);

/* For layers, which translate another interface to this one, as nmr_netio.ko does */

/**
 * nmr_binding_set_context() - set what a side's own callbacks are passed
 * @binding: binding of which the attach callback of @side runs in the calling task; a client has
 *	     asked the provider before
 * @side:    the side
 * @context: passed to client_attached and to the detach and cleanup callbacks of @side, instead
 *	     of the binding context that @side hands to its peer; NULL undoes this
 *
 * The peer keeps what it was handed. So a layer can hand over the context of the module that it
 * serves, and be passed an object of its own.
 *
 * Context: Process context, inside the attach callback of @side.
 */
void nmr_binding_set_context(struct nmr_binding *binding, enum nmr_side side,
			     void *context);

/**
 * nmr_binding_kin() - find a registration of the same layer
 * @binding: a valid binding
 * @side:    the side that is asked about
 * @attach:  an attach callback of the caller
 *
 * Context: Any context.
 *
 * Return: the client or provider context that @side registered with; %NULL if @side registered
 * with another attach callback. A layer that frees the context when the registration has finished
 * may use it in each callback of the binding, and not by a mere reference to the binding.
 */
void *nmr_binding_kin(const struct nmr_binding *binding, enum nmr_side side,
		      const void *attach);

/*
 * Call gates: the inline half. module/gate.c opens, closes and drains gates, and has the proof
 * that no call is lost. module/refs.c has __nmr_gate_exit_closed().
 */

/*
 * Count the calls that one side makes.
 *
 * @calls: per-CPU counts of these calls. The pointer of a closed gate leads to counts below
 *	   zero. A gate opens at most once and closes at most once. It never opens again.
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

#define NMR_CALLS_OPEN	BIT_ULL(62)	/* an open count without calls */

/*
 * Add 1 to the count of this CPU, or subtract 1. Return: true if the result is below zero: the
 * gate is closed. No interrupt and no other task on this CPU comes between the addition and
 * the test. Therefore preemption need not be disabled.
 *
 * On x86-64 the addition is one instruction, which also sets the sign flag. The asm statement
 * is hand-written, because the macro for such instructions is not the same on all kernels.
 * On 6.1, GEN_UNARY_RMWcc("incq", var, s, __percpu_arg([var])) emits "incq %gs:(%rax)". On
 * 6.12, __percpu_arg() has no prefix any more if the compiler supports named address spaces.
 * The macro then emits "incq (%rax)", without an error, and counts at a wrong address. The cast
 * to a number first is for compilers to which a per-CPU pointer is in such an address space.
 * User-mode Linux is x86-64, but its per-CPU memory is not at gs.
 *
 * Other 64-bit architectures use this_cpu_add_return(). 32-bit architectures have no such
 * operation on s64, and use an atomic64_t per CPU. There the addition is atomic for all CPUs,
 * so the task may migrate between raw_cpu_ptr() and the addition.
 *
 * Compiler barriers keep the accesses of a call between enter and exit.
 */
#if defined(CONFIG_X86_64) && defined(CONFIG_SMP) && !defined(CONFIG_UML)
#define __NMR_COUNT(instruction, calls)					\
({									\
	bool __closed;							\
									\
	asm volatile(instruction " %%gs:%[count]"			\
		     : "=@ccs" (__closed),				\
		       [count] "+m" (*(s64 *)(__force uintptr_t)(calls))	\
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
 * Tell lockdep of each call in flight, and record the call with NMR_DEBUG. nmr.ko always has
 * these functions, because a module may be built with NMR_DEBUG and nmr.ko without.
 */
#define __NMR_CALLS_TRACKED						\
	(IS_ENABLED(CONFIG_LOCKDEP) || IS_ENABLED(CONFIG_NMR_DEBUG))

void __nmr_call_entered(struct nmr_binding *binding, enum nmr_side caller);
void __nmr_call_exiting(struct nmr_binding *binding, enum nmr_side caller);
void __nmr_call_handed_over(struct nmr_binding *binding, enum nmr_side caller);

/* Return the counts that the gate of @caller leads to now. */
static __always_inline s64 __percpu *__nmr_calls(struct nmr_binding *binding,
						 enum nmr_side caller)
{
	/*
	 * Pairs with the smp_store_release() in nmr_gate_open(): a caller that enters
	 * sees everything that the callee did in its attach callback.
	 */
	return smp_load_acquire(&__nmr_gate(binding, caller)->calls);
}

/* Enter on @calls, which __nmr_calls() has returned. The gate may have closed since. */
static __always_inline bool __nmr_call_enter_on(s64 __percpu *calls,
						struct nmr_binding *binding,
						enum nmr_side caller)
{
	/*
	 * The gate may close after the load. If the count of this CPU is still open, the
	 * call is in flight. Otherwise the count is below zero, and the call is refused.
	 */
	if (unlikely(__nmr_count_enter(calls)))
		return false;
	if (__NMR_CALLS_TRACKED)
		__nmr_call_entered(binding, caller);
	return true;
}

static __always_inline bool __nmr_call_enter(struct nmr_binding *binding,
					     enum nmr_side caller)
{
	return __nmr_call_enter_on(__nmr_calls(binding, caller), binding, caller);
}

/* Exit from @calls: what the gate leads to now, or what the enter of this call has counted on. */
static __always_inline void __nmr_call_exit_from(s64 __percpu *calls,
						 struct nmr_binding *binding,
						 enum nmr_side caller)
{
	if (__NMR_CALLS_TRACKED)
		__nmr_call_exiting(binding, caller);
	if (unlikely(__nmr_count_exit(calls)))
		__nmr_gate_exit_closed(binding, caller);
}

static __always_inline void __nmr_call_exit(struct nmr_binding *binding,
					    enum nmr_side caller)
{
	__nmr_call_exit_from(READ_ONCE(__nmr_gate(binding, caller)->calls), binding, caller);
}

static __always_inline bool __nmr_call_may_rcu(struct nmr_binding *binding,
					       enum nmr_side caller)
{
	s64 __percpu *calls = __nmr_calls(binding, caller);

	RCU_LOCKDEP_WARN(!rcu_read_lock_any_held(), "not an RCU reader");
	return likely(raw_cpu_read(*calls) >= 0);
}

/**
 * nmr_client_call_enter() - enter a binding to call the provider
 * @binding: a valid binding of the client, or one with a reference; must not be NULL
 *
 * Between enter and exit the provider's text, its binding context and its dispatch table
 * stay valid. The gate opens when the provider's attach callback has returned 0. It closes
 * for good when the binding closes. Any number of calls may be in flight concurrently, and
 * calls may nest.
 *
 * A call may sleep and migrate. It may exit on another CPU, and in another task: see
 * nmr_client_call_handover(). Enter allocates no memory. It takes no lock, except on 32-bit
 * machines without 64-bit atomic instructions.
 *
 * A return of true is an acquire: the caller sees everything that the provider did in its
 * attach callback.
 *
 * Context: Any context but NMI, also under a raw_spinlock_t. The CPU must be online: a
 * hotplug callback of the STARTING section must not call this.
 *
 * Return:
 * * %true - the client may call, and must call nmr_client_call_exit() afterwards
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
 * After exit the caller must not touch the provider. It must not touch @binding unless a
 * reference or an RCU read-side critical section keeps @binding valid. Exit is a release: the
 * cleanup callbacks of both sides see everything that the caller did before.
 *
 * An exit without an enter is misuse. The registrar warns if it notices. It may then call the
 * cleanup callbacks of the binding while a call is in flight.
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
 * * %true - the provider may call, and must call nmr_provider_call_exit() afterwards
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
 * A call may exit in another context than it entered: a work item, an interrupt, another
 * system call. The context that entered then calls this function before it continues. The
 * function tells lockdep, which takes a call for a lock that the task holds, as
 * percpu_rwsem_release() does. It also tells NMR_DEBUG, which shows the stack of the call. If
 * the kernel and the module have neither, the function is empty.
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
 * An RCU reader that does not sleep need not enter. A reader is code that
 * rcu_read_lock_any_held() accepts: rcu_read_lock(), or preemption, softirqs or interrupts
 * disabled. The registrar does not count such calls, and sysfs does not show them. A grace
 * period passes between the closing of the gates and the detach callbacks. When it has passed,
 * such calls have returned.
 *
 * A return of true is an acquire: the caller sees everything that the provider did in its
 * attach callback.
 *
 * Context: An RCU read-side critical section, in any context but NMI.
 *
 * Return:
 * * %true - the client may call until the section ends
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
 * * %true - the provider may call until the section ends
 * * %false - the client has not attached yet, or the binding has closed
 */
static __always_inline bool __must_check
nmr_provider_may_call_rcu(struct nmr_binding *binding)
{
	return __nmr_call_may_rcu(binding, NMR_PROVIDER);
}

/* Slots. module/slot.c has the half that fills and empties them. */

struct nmr_registration;

/* What changes of a slot. The registrar writes it. */
struct nmr_slot_state {
	bool			open;		/* written under nmr_lock: there is a provider */
	struct nmr_binding	*binding;	/* the binding that the counts belong to */
	struct nmr_endpoint	provider;	/* written under nmr_lock: the provider's */
	struct nmr_registration __rcu *client;	/* for tasks that wait */
	unsigned long		claimed;	/* bit 0: a client has the slot */
};

/**
 * struct nmr_slot - the provider that a client has now
 *
 * Defined by DEFINE_NMR_SLOT(), or initialised by nmr_slot_init(). The members are private.
 */
struct nmr_slot {
	/* private: */
	s64 __percpu		*calls;		/* calls in flight through the slot */
	struct nmr_slot_state	*state;
};

/**
 * DEFINE_NMR_SLOT() - define a slot
 * @name: name of the slot, a static variable
 *
 * The slot is for one client at a time, which names it in its characteristics. As with
 * DEFINE_PER_CPU(), two slots of a module need two names, also in two files.
 */
#define DEFINE_NMR_SLOT(name)						\
	static DEFINE_PER_CPU(s64, name##_calls)			\
		__aligned(sizeof(s64)) = NMR_CALLS_OPEN;		\
	static struct nmr_slot_state name##_state			\
		____cacheline_aligned_in_smp;				\
	static const struct nmr_slot name = {				\
		.calls = &name##_calls,					\
		.state = &name##_state,					\
	}

/**
 * nmr_slot_free() - free what nmr_slot_init() has allocated
 * @slot: a slot that no client has
 *
 * The caller has waited for the deregistration of the client that had the slot. No task is in a
 * function that gets @slot, and none will be.
 *
 * Context: Any context but hardirq and NMI, as for kfree() and free_percpu() on PREEMPT_RT.
 */
static inline void nmr_slot_free(struct nmr_slot *slot)
{
	free_percpu(slot->calls);
	kfree(slot->state);
}

/**
 * nmr_slot_init() - initialise a slot that is a member of an object
 * @slot: the slot
 *
 * A call through such a slot loads the addresses that a call through a slot of
 * DEFINE_NMR_SLOT() has as constants.
 *
 * Context: Process context. May sleep.
 *
 * Return:
 * * %0 - a client may have the slot; the caller must call nmr_slot_free() in the end
 * * %-ENOMEM - allocation failure; nothing has to be freed
 */
static inline int __must_check nmr_slot_init(struct nmr_slot *slot)
{
	int cpu;

	slot->state = kzalloc(sizeof(*slot->state), GFP_KERNEL);
	slot->calls = __alloc_percpu(sizeof(*slot->calls), sizeof(*slot->calls));
	if (!slot->state || !slot->calls) {
		nmr_slot_free(slot);
		return -ENOMEM;
	}
	for_each_possible_cpu(cpu)
		per_cpu(*slot->calls, cpu) = NMR_CALLS_OPEN;
	return 0;
}

/**
 * struct nmr_call - a call in flight
 * @binding:  binding that the call goes through
 * @dispatch: dispatch table of the callee
 * @context:  binding context of the callee
 *
 * nmr_slot_enter(), nmr_slot_enter_wait() and walks through all peers fill it. If a call exits in
 * another task, that task gets a copy of the structure.
 */
struct nmr_call {
	struct nmr_binding	*binding;
	const void		*dispatch;
	void			*context;
	/* private: */
	const struct nmr_slot	*slot;
};

void __nmr_slot_back_out(const struct nmr_slot *slot);
void __nmr_slot_exit_closed(const struct nmr_slot *slot);

/* Enter, without telling lockdep or NMR_DEBUG. */
static __always_inline bool __nmr_slot_enter(const struct nmr_slot *slot,
					     struct nmr_call *call)
{
	/* A store to all of @call spares kernels that initialise stacks to do so. */
	*call = (struct nmr_call){ .slot = slot };
	if (unlikely(__nmr_count_enter(slot->calls)))
		return false;
	/* Pairs with the smp_store_release() in __nmr_slot_fill(). */
	if (unlikely(!smp_load_acquire(&slot->state->open))) {
		__nmr_slot_back_out(slot);
		return false;
	}
	/* The call is counted, so none of these changes before it exits. */
	call->binding = slot->state->binding;
	call->dispatch = slot->state->provider.dispatch;
	call->context = slot->state->provider.binding_context;
	return true;
}

/**
 * nmr_slot_enter() - enter the binding to the provider that a client has now
 * @slot: slot of the client; must not be NULL
 * @call: filled if the function returns true, and otherwise undefined; on the caller's stack
 *
 * The function does what nmr_client_call_enter() does for the binding that is in the slot. The
 * caller needs neither a pointer to the binding, nor a reference, nor RCU. It may call at any
 * time: before the client is registered and after it has been deregistered the slot is empty.
 *
 * A return of true is an acquire: the caller sees everything that the attach callbacks of both
 * sides did.
 *
 * Context: As for nmr_client_call_exit(): a caller that has counted, and then finds that the
 * binding has closed, exits again.
 *
 * Return:
 * * %true - the client may call through @call, and must call nmr_slot_exit() afterwards
 * * %false - the client has no provider, or it leaves; the client must neither call nor exit
 */
static __always_inline bool __must_check
nmr_slot_enter(const struct nmr_slot *slot, struct nmr_call *call)
{
	if (!__nmr_slot_enter(slot, call))
		return false;
	if (__NMR_CALLS_TRACKED)
		__nmr_call_entered(call->binding, NMR_CLIENT);
	return true;
}

/**
 * nmr_slot_exit() - exit after a call through a slot
 * @call: as nmr_slot_enter() or nmr_slot_enter_wait() has filled it, or a copy
 *
 * The function does what nmr_client_call_exit() does. If the call exits in another context
 * than it entered, the context that entered calls nmr_client_call_handover() for
 * @call->binding before.
 *
 * Context: As for nmr_client_call_exit().
 */
static __always_inline void nmr_slot_exit(const struct nmr_call *call)
{
	const struct nmr_slot *slot = call->slot;

	if (__NMR_CALLS_TRACKED)
		__nmr_call_exiting(call->binding, NMR_CLIENT);
	if (unlikely(__nmr_count_exit(slot->calls)))
		__nmr_slot_exit_closed(slot);
}

int __nmr_slot_enter_wait(const struct nmr_slot *slot, struct nmr_call *call,
			  unsigned long timeout);

/**
 * nmr_slot_enter_wait() - wait for a provider, and enter
 * @slot:    slot of the client
 * @call:    filled if the function returns 0, and otherwise undefined
 * @timeout: time to wait, in jiffies; 0 tests without waiting; %MAX_SCHEDULE_TIMEOUT waits
 *	     without a limit
 *
 * The function waits as nmr_client_wait_for_binding() does. If the binding closes before the
 * caller has entered, the function waits for the next one.
 *
 * Context: Process context. May sleep, interruptibly. The caller must not hold a lock that an
 * attach callback of the client's bindings takes. The caller must not be inside a call through
 * the slot: the next provider attaches when that call has exited.
 *
 * Return:
 * * %0 - the client may call through @call, and must call nmr_slot_exit() afterwards
 * * %-ETIMEDOUT - @timeout has passed
 * * %-ESHUTDOWN - the client is deregistering, or no client that has the slot is registered
 * * %-ERESTARTSYS - a signal is pending
 * * %-EDEADLK - the slot is empty, and the task is inside a callback, of either side, of one of
 *   the client's bindings
 * * %-EINVAL - @slot or @call is NULL
 */
static inline int __must_check nmr_slot_enter_wait(const struct nmr_slot *slot,
						   struct nmr_call *call,
						   unsigned long timeout)
{
	int err = __nmr_slot_enter_wait(slot, call, timeout);

	if (__NMR_CALLS_TRACKED && !err)
		__nmr_call_entered(call->binding, NMR_CLIENT);
	return err;
}

/* All peers */

/**
 * typedef nmr_call_fn - function that a walk through all peers calls
 * @call: a call to the peer, which the walk has entered and will exit
 * @arg:  what was passed to the walk
 *
 * Return: 0 to continue; another value ends the walk, which returns it.
 */
typedef int nmr_call_fn(const struct nmr_call *call, void *arg);

/**
 * nmr_provider_for_each_client() - call a function for each client that is attached
 * @handle: handle of the provider
 * @fn:	    called in a call to the client, between enter and exit. A return value other than 0
 *	    ends the walk.
 * @arg:    passed to @fn
 *
 * @fn may sleep, and may call any function of the registrar, except that it must not wait for
 * the deregistration of either side of the call. It must not exit the call. No lock is held
 * meanwhile. Only the binding that @fn is called for waits for @fn.
 *
 * A client that attaches or leaves concurrently is called or not. No client is called twice for
 * one binding, and none after its binding has closed. The clients are called in the order in
 * which the pairs were offered. The cost is linear in the number of bindings. The function
 * allocates no memory.
 *
 * Context: Process context. May sleep.
 *
 * Return:
 * * %0 - @fn returned 0 each time, or there is no client
 * * the value that @fn returned and that ended the walk
 * * %-EINVAL - @fn is NULL, or the handle was never issued
 * * %-ESHUTDOWN - the provider is deregistering or finished
 */
int nmr_provider_for_each_client(struct nmr_provider_handle handle,
				 nmr_call_fn *fn, void *arg);

/**
 * nmr_client_for_each_provider() - call a function for each provider that is attached
 * @handle: handle of the client
 * @fn:	    called in a call to the provider, between enter and exit. A return value other than
 *	    0 ends the walk.
 * @arg:    passed to @fn
 *
 * The function does what nmr_provider_for_each_client() does, with the sides exchanged.
 *
 * Context: Process context. May sleep.
 *
 * Return: as nmr_provider_for_each_client()
 */
int nmr_client_for_each_provider(struct nmr_client_handle handle,
				 nmr_call_fn *fn, void *arg);

/**
 * nmr_provider_for_each_client_rcu() - call a function for each attached client, under RCU
 * @handle: handle of the provider
 * @fn:	    called for each client, in an RCU read-side critical section; must not sleep
 * @arg:    passed to @fn
 *
 * The function does what nmr_provider_for_each_client() does, but takes no lock. It covers the
 * calls by an RCU read-side critical section, as nmr_provider_may_call_rcu() does, and does not
 * count them. @fn must not call nmr_slot_exit() or nmr_provider_call_exit() for @call.
 *
 * Context: Any context but NMI.
 *
 * Return: as nmr_provider_for_each_client()
 */
int nmr_provider_for_each_client_rcu(struct nmr_provider_handle handle,
				     nmr_call_fn *fn, void *arg);

/**
 * nmr_client_for_each_provider_rcu() - call a function for each attached provider, under RCU
 * @handle: handle of the client
 * @fn:	    called for each provider, in an RCU read-side critical section; must not sleep
 * @arg:    passed to @fn
 *
 * The function does what nmr_provider_for_each_client_rcu() does, with the sides exchanged.
 *
 * Context: Any context but NMI.
 *
 * Return: as nmr_provider_for_each_client()
 */
int nmr_client_for_each_provider_rcu(struct nmr_client_handle handle,
				     nmr_call_fn *fn, void *arg);

#ifdef DEFINE_CLASS
/*
 * Define the classes nmr_client_call and nmr_provider_call, for kernels that have
 * <linux/cleanup.h>. The definition of a variable of such a class enters. The variable is NULL
 * if enter returned false. The call exits when the variable goes out of scope:
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

/* A scoped call. It exits from the counts that it has entered on, without loading the pointer. */
struct __nmr_scoped_call {
	struct nmr_binding	*binding;
	enum nmr_side		caller;
	s64 __percpu		*calls;
	bool			entered;
};

static __always_inline struct __nmr_scoped_call
__nmr_scoped_call_begin(struct nmr_binding *binding, enum nmr_side caller)
{
	struct __nmr_scoped_call call = { binding, caller, __nmr_calls(binding, caller) };

	call.entered = __nmr_call_enter_on(call.calls, binding, caller);
	return call;
}

static __always_inline void __nmr_scoped_call_end(const struct __nmr_scoped_call *call)
{
	if (call->entered)
		__nmr_call_exit_from(call->calls, call->binding, call->caller);
}

#define __scoped_nmr_call(binding, caller)				\
	for (struct __nmr_scoped_call __call __cleanup(__nmr_scoped_call_end) =	\
	     __nmr_scoped_call_begin(binding, caller), *__done = NULL;	\
	     __call.entered && !__done; __done = &__call)

/**
 * scoped_nmr_client_call() - enter a binding for one statement
 * @binding: as for nmr_client_call_enter()
 *
 * The macro enters, executes the statement that follows, and exits. It also exits if break,
 * return or goto leaves the statement. If enter returns false, the macro skips the statement.
 *
 * Context: Any context but NMI, as for nmr_client_call_enter() and nmr_client_call_exit().
 */
#define scoped_nmr_client_call(binding)					\
	__scoped_nmr_call(binding, NMR_CLIENT)

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
	__scoped_nmr_call(binding, NMR_PROVIDER)

static __always_inline struct nmr_call __nmr_slot_call_begin(const struct nmr_slot *slot)
{
	struct nmr_call call = {};

	return nmr_slot_enter(slot, &call) ? call : (struct nmr_call){};
}

static __always_inline void __nmr_slot_call_end(const struct nmr_call *call)
{
	if (call->slot)
		nmr_slot_exit(call);
}

/**
 * scoped_nmr_slot_call() - enter a slot for one statement
 * @nmr_slot: as for nmr_slot_enter()
 * @call: name of the variable of type &struct nmr_call that the statement uses
 *
 * The macro enters, executes the statement that follows, and exits. It also exits if break,
 * return or goto leaves the statement. If enter returns false, the macro skips the statement.
 *
 * Context: Any context but NMI, as for nmr_slot_enter() and nmr_slot_exit().
 */
#define scoped_nmr_slot_call(nmr_slot, call)				\
	for (struct nmr_call call __cleanup(__nmr_slot_call_end) =	\
	     __nmr_slot_call_begin(nmr_slot), *__done = NULL;		\
	     call.slot && !__done; __done = &call)
#endif /* DEFINE_CLASS */

/**
 * module_nmr_client() - define module_init() and module_exit() of a client
 * @chars:	name of the variable of type &struct nmr_client_characteristics
 * @ctx:	client context
 *
 * The macro is for a module that registers one client and does nothing else in these two
 * functions. The handle is the static variable @chars with the suffix _handle.
 */
#define module_nmr_client(chars, ctx)					\
	__module_nmr(client, chars, ctx)

/**
 * module_nmr_provider() - define module_init() and module_exit() of a provider
 * @chars:	name of the variable of type &struct nmr_provider_characteristics
 * @ctx:	provider context
 *
 * The macro is for a module that registers one provider and does nothing else in these two
 * functions. The handle is the static variable @chars with the suffix _handle.
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

/* The value of a hexadecimal digit. A division by zero here: it is no lower-case digit. */
#define __NMR_DIGIT(c)							\
	(((c) <= '9' ? (c) - '0' : (c) - 'a' + 10) /			\
	 (((c) >= '0' && (c) <= '9') || ((c) >= 'a' && (c) <= 'f')))

/* The octet at @i. A division by zero here: a hyphen is missing. */
#define __NMR_OCTET(s, i)						\
	((__NMR_DIGIT((s)[i]) << 4 | __NMR_DIGIT((s)[(i) + 1])) /	\
	 ((s)[8] == '-' && (s)[13] == '-' && (s)[18] == '-' && (s)[23] == '-'))

/**
 * NMR_GUID() - initializer of a guid_t from a string
 * @guid: GUID as a string literal in lower case, as uuidgen(1) and printk()'s %pUl print it
 *
 * A string that is no GUID in lower case fails the build, with a wrong size of a bit-field or
 * with a division by zero.
 */
#define NMR_GUID(guid)							\
	{ .b = {							\
		__NMR_OCTET(guid, 6) + BUILD_BUG_ON_ZERO(sizeof(guid) != 37),	\
		__NMR_OCTET(guid, 4), __NMR_OCTET(guid, 2), __NMR_OCTET(guid, 0), \
		__NMR_OCTET(guid, 11), __NMR_OCTET(guid, 9),		\
		__NMR_OCTET(guid, 16), __NMR_OCTET(guid, 14),		\
		__NMR_OCTET(guid, 19), __NMR_OCTET(guid, 21),		\
		__NMR_OCTET(guid, 24), __NMR_OCTET(guid, 26),		\
		__NMR_OCTET(guid, 28), __NMR_OCTET(guid, 30),		\
		__NMR_OCTET(guid, 32), __NMR_OCTET(guid, 34),		\
	} }

/**
 * MODULE_IMPORT_NMR() - let a module use the functions of the registrar
 *
 * The functions are exported in the symbol namespace NMR. From Linux 6.13 on, MODULE_IMPORT_NS()
 * takes a string.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define MODULE_IMPORT_NMR()	MODULE_IMPORT_NS(NMR)
#else
#define MODULE_IMPORT_NMR()	MODULE_IMPORT_NS("NMR")
#endif

/**
 * MODULE_NMR_PROVIDER() - declare that a module provides an NPI
 * @guid: GUID of the NPI, the string literal that NMR_GUID() takes
 *
 * udev loads the module for a client of the NPI, see "Loading the modules of providers" above.
 */
#define MODULE_NMR_PROVIDER(guid)	MODULE_ALIAS_NMR_PROVIDER(guid)

/**
 * MODULE_NMR_INTERFACE() - give an NPI a name for people
 * @guid: GUID of the NPI, the string literal that NMR_GUID() takes
 * @name: name, a string literal without spaces
 *
 * Modules of either side may have it. modinfo shows it, and tools print the name instead of the
 * GUID.
 */
#define MODULE_NMR_INTERFACE(guid, name)	MODULE_INFO(nmr_interface, guid " " name)

/**
 * MODULE_ALIAS_NMR_PROVIDER() - the alias that MODULE_NMR_PROVIDER() makes
 * @guid: GUID of the NPI, the string literal that NMR_GUID() takes
 *
 * New modules use MODULE_NMR_PROVIDER().
 */
#define MODULE_ALIAS_NMR_PROVIDER(guid) MODULE_ALIAS("nmr-provider:" guid)

#endif /* _LINUX_NMR_H */
