/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Network Module Registrar: the interface for provider and client modules.
 *
 * A *provider* implements a network programming interface (NPI), a *client*
 * uses it; a GUID names it. Both register here. The registrar attaches every
 * client to every provider of the same NPI: the two exchange a binding context
 * and a dispatch table each, and call each other directly from then on. When
 * either leaves, the registrar closes the binding, tells both sides, waits
 * until the calls in flight have drained, lets both clean up, and only then
 * lets the leaving module unload.
 *
 * The shortest correct use, for either side:
 *
 *   init:  nmr_register_{client,provider}() as the last step; offers may be
 *          made, and calls may arrive, before it returns.
 *   calls: if (nmr_client_call_enter(binding)) {
 *                  dispatch->op(provider_binding_context);
 *                  nmr_client_call_exit(binding);
 *          }
 *   exit:  nmr_deregister_{client,provider}_sync() as the first step.
 *
 * A module that wraps each call to its peer in enter and exit needs no counter,
 * no lock and no detach callback. Its module_exit() stops its own threads,
 * timers and RCU callbacks after the sync; the registrar protects the callee of
 * a call and the contexts, not the caller's own text.
 *
 * Terms, and the model, are those of the Windows Network Module Registrar:
 * https://learn.microsoft.com/windows-hardware/drivers/network/network-module-registrar2
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

struct nmr_binding;

/**
 * enum nmr_side - the two sides of a binding
 * @NMR_CLIENT:		the side that uses the NPI
 * @NMR_PROVIDER:	the side that implements it
 * @NMR_SIDES:		how many there are; what is indexed by side has this size
 */
enum nmr_side {
	NMR_CLIENT,
	NMR_PROVIDER,
	NMR_SIDES
};

/**
 * struct nmr_client_handle - names one registration of a client
 * @id: never issued twice, 0 is never valid; also the name in sysfs
 *
 * A number, so that a stale or an invented handle is told from a live one.
 */
struct nmr_client_handle {
	u64 id;
};

/**
 * struct nmr_provider_handle - names one registration of a provider
 * @id: never issued twice, 0 is never valid; also the name in sysfs
 */
struct nmr_provider_handle {
	u64 id;
};

/**
 * struct nmr_registration_instance - who registers, for which NPI
 * @npi_id:		the NPI; copied at registration
 * @module_id:		identifies the module to its peers; copied at registration
 * @number:		implementation number, 0 if there is only one
 * @npi_specific:	NPI-specific characteristics, or NULL. Not copied: it must
 *			live until the wait for deregistration has returned 0. A
 *			peer may read it inside its attach callback and no later.
 */
struct nmr_registration_instance {
	const guid_t	*npi_id;
	const guid_t	*module_id;
	u32		 number;
	const void	*npi_specific;
};

/**
 * struct nmr_endpoint - what a side hands to its peer at attach
 * @binding_context:	passed to this side's callbacks, and by the peer to the
 *			functions in @dispatch; may be NULL
 * @dispatch:		the functions (and data) the NPI defines for this side;
 *			may be NULL
 */
struct nmr_endpoint {
	void		*binding_context;
	const void	*dispatch;
};

/**
 * enum nmr_detach_reason - why a binding is detached
 * @NMR_DETACH_CLIENT_DEREGISTERED:	the client began to leave
 * @NMR_DETACH_PROVIDER_DEREGISTERED:	the provider began to leave
 * @NMR_DETACH_ATTACH_FAILED:	to the provider alone: the client's attach callback
 *				failed after the provider's had succeeded
 * @NMR_DETACH_FALLBACK:	this binding only; the client should use another
 *				provider, and is offered this one again later
 * @NMR_DETACH_ABORT:		this binding only; the pair is never offered again
 *
 * The first reason wins, and both sides are given the same.
 */
enum nmr_detach_reason {
	NMR_DETACH_CLIENT_DEREGISTERED,
	NMR_DETACH_PROVIDER_DEREGISTERED,
	NMR_DETACH_ATTACH_FAILED,
	NMR_DETACH_FALLBACK,
	NMR_DETACH_ABORT,
};

/**
 * struct nmr_client_characteristics - a client's callbacks and identity
 * @attach_provider: A provider of the NPI is offered. A client that wants it
 *	fills a &struct nmr_endpoint, calls nmr_client_attach_provider() from this
 *	callback and this task, and returns what that returned. A client that
 *	does not want it returns -ENODEV.
 *
 *	Return 0 when attached; -ENODEV or -ECANCELED: declined, silently;
 *	-EPROBE_DEFER: offer this pair again later; any other negative errno: an
 *	error, logged, and declined. A client that fails after
 *	nmr_client_attach_provider() returned 0 frees what it made, as any failed
 *	probe does; its detach and cleanup callbacks are not called.
 *
 *	Runs in process context, may sleep, no lock of the registrar held: in the
 *	task that registers, or on the registrar's workqueue for a later offer.
 * @detach_provider: The binding is closed: no call can enter any more, those in
 *	flight may still run. Return 0 when this side has nothing left but calls it
 *	made through nmr_client_call_enter(); return -EINPROGRESS when it counts
 *	for itself, and call nmr_client_detach_provider_complete() when done.
 *	Optional: NULL is a callback that returns 0.
 *
 *	Runs in process context, on the registrar's workqueue (which is unbound and
 *	not WQ_MEM_RECLAIM). May sleep; should return -EINPROGRESS rather than wait.
 * @cleanup_binding_context: Both sides have detached and no call of either runs;
 *	free the binding context. The last callback of a binding. Optional.
 *
 *	Runs in process context, on the registrar's workqueue, may sleep.
 * @instance: who the client is
 * @max_bindings: 0: any number of providers at once; otherwise the client is
 *	bound to at most so many, and a full client gets no offer until one of its
 *	bindings was cleaned up.
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
 * struct nmr_provider_characteristics - a provider's callbacks and identity
 * @attach_client: A client wants to attach. Fill @provider and return 0, or
 *	refuse with -ENODEV or -ECANCELED (silent), -EPROBE_DEFER (again later) or
 *	another negative errno (logged). The client may call as soon as this has
 *	returned 0; the provider may not call yet, see @client_attached.
 *
 *	Runs in process context, may sleep, no lock of the registrar held; nested in the
 *	client's attach callback, in the same task.
 * @client_attached: The client has finished attaching: calls to it may start.
 *	Not called if a side began to leave meanwhile. Optional; without it, or
 *	before it, nmr_provider_call_enter() tells just as well.
 *
 *	Runs in process context, in the task of the attach callbacks, may sleep.
 * @detach_client: as &nmr_client_characteristics.detach_provider, to be completed
 *	with nmr_provider_detach_client_complete(). Called when the client's has
 *	returned. Optional.
 * @cleanup_binding_context: as &nmr_client_characteristics.cleanup_binding_context;
 *	called when the client's has returned. Optional.
 * @instance: who the provider is
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

/* Registration */

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
	bool			told;
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
 * @c:			its characteristics; copied
 * @client_context:	passed to its attach callback
 * @handle:		set before the first callback runs
 *
 * Every offer to a provider that registered earlier has been made, in this task,
 * when this returns. Providers that register later are offered in their task.
 *
 * Context: Process context, may sleep. Hold no lock that an attach callback of
 * either side takes.
 * Return: 0; -EINVAL: @c, @handle, the attach callback, the NPI's or the module's
 * id is NULL; -ENOMEM: no callback has run, and the registry is as before.
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
 * @c:			its characteristics; copied
 * @provider_context:	passed to its attach callback
 * @handle:		set before the first callback runs
 *
 * As nmr_register_client(), with the sides exchanged.
 *
 * Context: Process context, may sleep. Hold no lock that an attach callback of
 * either side takes.
 * Return: 0; -EINVAL; -ENOMEM.
 */
#define nmr_register_provider(c, provider_context, handle)		\
({									\
	static struct nmr_site __nmr_site =				\
		__NMR_SITE(struct nmr_provider_characteristics);		\
									\
	__nmr_provider_register(c, provider_context, handle, &__nmr_site);	\
})

int nmr_deregister_client(struct nmr_client_handle handle);
int nmr_deregister_provider(struct nmr_provider_handle handle);

int nmr_wait_for_client_deregister_complete(struct nmr_client_handle handle);
int nmr_wait_for_provider_deregister_complete(struct nmr_provider_handle handle);
int nmr_wait_for_client_deregister_complete_timeout(struct nmr_client_handle handle,
						    unsigned long timeout);
int nmr_wait_for_provider_deregister_complete_timeout(struct nmr_provider_handle handle,
						      unsigned long timeout);

void nmr_deregister_client_sync(struct nmr_client_handle handle);
void nmr_deregister_provider_sync(struct nmr_provider_handle handle);

int nmr_client_wait_for_binding(struct nmr_client_handle handle,
				unsigned long timeout);
int nmr_client_reoffer(struct nmr_client_handle handle);
int nmr_provider_reoffer(struct nmr_provider_handle handle);

/* Bindings */

int nmr_client_attach_provider(struct nmr_binding *binding,
			       const struct nmr_endpoint *client,
			       struct nmr_endpoint *provider);
void nmr_client_detach_provider_complete(struct nmr_binding *binding);
void nmr_provider_detach_client_complete(struct nmr_binding *binding);

int nmr_detach_binding(struct nmr_binding *binding,
		       enum nmr_detach_reason reason);
struct nmr_binding *nmr_binding_get(struct nmr_binding *binding);
void nmr_binding_put(struct nmr_binding *binding);
u64 nmr_binding_id(const struct nmr_binding *binding);

/*
 * Call gates: the inline half. module/gate.c has the other half, and the
 * argument why the two together lose no call.
 */

/*
 * @calls: where this side counts its calls, one count a CPU. A closed gate's leads to
 *	   counts below zero. Opens at most once, closes at most once, and never opens
 *	   again.
 */
struct nmr_gate {
	s64 __percpu *calls;
};

/* A binding begins with its two gates, indexed by the side that calls. */
static inline struct nmr_gate *__nmr_gate(struct nmr_binding *binding,
					  enum nmr_side caller)
{
	return (struct nmr_gate *)binding + caller;
}

void __nmr_gate_exit_closed(struct nmr_binding *binding, enum nmr_side caller);

/*
 * Count one call more, or one less, on this CPU. Return: true if the count is below
 * zero now: closed. Counting and learning that are one step for the CPU it happens on,
 * without any section around it: on x86-64 one instruction that sets a flag, on others
 * of 64 bits this_cpu_add_return(). Of 32 bits none has that for a s64; there it is one
 * step for all CPUs, so it does not matter on which one the task is by then. Compiler
 * barriers: what belongs inside of a call stays there.
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
 * Each call in flight, told to lockdep, and remembered with NMR_DEBUG: see track.c. nmr.ko
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
	 * Pairs with the smp_store_release() in nmr_gate_open(): who enters sees
	 * all that the callee did while it attached.
	 */
	s64 __percpu *calls = smp_load_acquire(&__nmr_gate(binding, caller)->calls);

	/*
	 * If the gate has closed since, this CPU's count still takes the call, which is
	 * then in flight, or it is below zero already.
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
 * nmr_client_call_enter() - the client is about to call the provider
 * @binding: a binding of the caller: valid until the client's cleanup callback
 *	     has returned and one RCU grace period more, or while a reference is
 *	     held
 *
 * Between enter and exit the provider's text, its binding context and its
 * dispatch table stay. Opens when the provider's attach callback has returned 0,
 * and closes for good when either side begins to leave. May be entered any number of
 * times at once, nested too.
 *
 * Context: Any but NMI, also under raw spinlocks, on a CPU that is online (not from a
 * hotplug callback of the starting section). A call may sleep, migrate, and end on another
 * CPU than it began, or in another task: see nmr_client_call_handover().
 * Return: true: call, then nmr_client_call_exit(); false: not attached yet, or
 * closing: do not call, do not exit. Who gets true sees all that the provider
 * did while attaching (acquire).
 */
static __always_inline __must_check bool nmr_client_call_enter(struct nmr_binding *binding)
{
	return __nmr_call_enter(binding, NMR_CLIENT);
}

/**
 * nmr_client_call_exit() - the client's call has returned
 * @binding: the binding whose nmr_client_call_enter() returned true
 *
 * The caller touches nothing of the binding or the provider afterwards.
 *
 * Context: Any but NMI, also under raw spinlocks other than the scheduler's: the
 * last call to leave a closed binding queues work.
 */
static __always_inline void nmr_client_call_exit(struct nmr_binding *binding)
{
	__nmr_call_exit(binding, NMR_CLIENT);
}

/**
 * nmr_provider_call_enter() - the provider is about to call the client
 * @binding: as for nmr_client_call_enter(), with the sides exchanged
 *
 * Opens when the client's attach callback has returned 0.
 *
 * Context: Any but NMI, also under raw spinlocks.
 * Return: true: call, then nmr_provider_call_exit(); false: not attached yet, or
 * closing.
 */
static __always_inline __must_check bool nmr_provider_call_enter(struct nmr_binding *binding)
{
	return __nmr_call_enter(binding, NMR_PROVIDER);
}

/**
 * nmr_provider_call_exit() - the provider's call has returned
 * @binding: the binding whose nmr_provider_call_enter() returned true
 *
 * Context: Any but NMI, also under raw spinlocks other than the scheduler's.
 */
static __always_inline void nmr_provider_call_exit(struct nmr_binding *binding)
{
	__nmr_call_exit(binding, NMR_PROVIDER);
}

/**
 * nmr_client_call_handover() - the client's call goes on in another task
 * @binding: the binding whose nmr_client_call_enter() returned true in this task
 *
 * For a call that will end, by nmr_client_call_exit(), where it did not begin: in a work
 * item, an interrupt, or another system call. Tells lockdep, which takes a call for a
 * lock that this task holds, as percpu_rwsem_release() does; and whoever looks for the
 * call's stack (NMR_DEBUG). Nothing at all where neither is configured.
 *
 * Context: Any but NMI, where the call was entered.
 */
static __always_inline void nmr_client_call_handover(struct nmr_binding *binding)
{
	if (__NMR_CALLS_TRACKED)
		__nmr_call_handed_over(binding, NMR_CLIENT);
}

/**
 * nmr_provider_call_handover() - the provider's call goes on in another task
 * @binding: the binding whose nmr_provider_call_enter() returned true in this task
 *
 * As nmr_client_call_handover().
 *
 * Context: Any but NMI, where the call was entered.
 */
static __always_inline void nmr_provider_call_handover(struct nmr_binding *binding)
{
	if (__NMR_CALLS_TRACKED)
		__nmr_call_handed_over(binding, NMR_PROVIDER);
}

/**
 * nmr_client_may_call_rcu() - may the client call the provider, from an RCU reader?
 * @binding: a binding of the caller, valid as for nmr_client_call_enter()
 *
 * For calls that do not sleep, made inside of an RCU read section (rcu_read_lock(),
 * or anything with preemption, softirqs or interrupts off): cheaper than entering,
 * and there is nothing to exit. The grace period that the registrar waits for before it
 * detaches anyone covers such calls, so they are not counted, not seen in sysfs, and
 * must be over when the section is.
 *
 * Context: An RCU read section, any but NMI.
 * Return: true: call, until the end of the section; false: not attached yet, or
 * closing. Who gets true sees all that the provider did while attaching (acquire).
 */
static __always_inline __must_check bool nmr_client_may_call_rcu(struct nmr_binding *binding)
{
	return __nmr_call_may_rcu(binding, NMR_CLIENT);
}

/**
 * nmr_provider_may_call_rcu() - may the provider call the client, from an RCU reader?
 * @binding: as for nmr_client_may_call_rcu(), with the sides exchanged
 *
 * Context: An RCU read section, any but NMI.
 * Return: true: call, until the end of the section; false: not attached yet, or
 * closing.
 */
static __always_inline __must_check bool nmr_provider_may_call_rcu(struct nmr_binding *binding)
{
	return __nmr_call_may_rcu(binding, NMR_PROVIDER);
}

#ifdef DEFINE_CLASS
/*
 * Scoped calls, for kernels that have <linux/cleanup.h>:
 *
 *	scoped_nmr_client_call(binding)
 *		err = dispatch->op(context);	(skipped if the gate is shut)
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
#define scoped_nmr_client_call(binding)					\
	__scoped_nmr_call(nmr_client_call, binding)
#define scoped_nmr_provider_call(binding)				\
	__scoped_nmr_call(nmr_provider_call, binding)
#endif /* DEFINE_CLASS */

/**
 * module_nmr_client() - a module that is one client and nothing else
 * @chars:	its &struct nmr_client_characteristics, the variable itself
 * @ctx:	its client context
 */
#define module_nmr_client(chars, ctx)					\
	__module_nmr(client, chars, ctx)

/**
 * module_nmr_provider() - a module that is one provider and nothing else
 * @chars:	its &struct nmr_provider_characteristics, the variable itself
 * @ctx:	its provider context
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
 * MODULE_ALIAS_NMR_PROVIDER() - let an NPI's user find its provider modules
 * @guid: the NPI's GUID as a string in lower case, as %pUl prints it
 *
 * request_module("nmr-provider:%pUl", &npi) then loads the module.
 */
#define MODULE_ALIAS_NMR_PROVIDER(guid) MODULE_ALIAS("nmr-provider:" guid)

#endif /* _LINUX_NMR_H */
