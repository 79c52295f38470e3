/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of the Network Module Registrar. The handles, nmr_binding_id() and
 * /sys/kernel/nmr have the same numbers as the events.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM nmr

#if !defined(_TRACE_NMR_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_NMR_H

#include <linux/errno.h>
#include <linux/nmr.h>
#include <linux/tracepoint.h>

TRACE_DEFINE_ENUM(NMR_CLIENT);
TRACE_DEFINE_ENUM(NMR_PROVIDER);
TRACE_DEFINE_ENUM(NMR_DETACH_CLIENT_DEREGISTERED);
TRACE_DEFINE_ENUM(NMR_DETACH_PROVIDER_DEREGISTERED);
TRACE_DEFINE_ENUM(NMR_DETACH_ATTACH_FAILED);
TRACE_DEFINE_ENUM(NMR_DETACH_FALLBACK);
TRACE_DEFINE_ENUM(NMR_DETACH_ABORT);

#define show_nmr_side(side)						\
	__print_symbolic(side,						\
			 { NMR_CLIENT,	 "client" },			\
			 { NMR_PROVIDER, "provider" })

#define show_nmr_reason(reason)						\
	__print_symbolic(reason,					\
			 { NMR_DETACH_CLIENT_DEREGISTERED,   "client-deregistered" }, \
			 { NMR_DETACH_PROVIDER_DEREGISTERED, "provider-deregistered" }, \
			 { NMR_DETACH_ATTACH_FAILED,	     "attach-failed" }, \
			 { NMR_DETACH_FALLBACK,		     "fallback" }, \
			 { NMR_DETACH_ABORT,		     "abort" })

/* The errnos that callbacks are likely to return. Others print as numbers. */
#define show_nmr_errno(error)						\
	__print_symbolic(-(error),					\
			 { 0,		    "OK" },			\
			 { EPERM,	    "EPERM" },			\
			 { ENOENT,	    "ENOENT" },			\
			 { EIO,		    "EIO" },			\
			 { EAGAIN,	    "EAGAIN" },			\
			 { ENOMEM,	    "ENOMEM" },			\
			 { EACCES,	    "EACCES" },			\
			 { EBUSY,	    "EBUSY" },			\
			 { EEXIST,	    "EEXIST" },			\
			 { ENODEV,	    "ENODEV" },			\
			 { EINVAL,	    "EINVAL" },			\
			 { ENOSPC,	    "ENOSPC" },			\
			 { ENAMETOOLONG,    "ENAMETOOLONG" },		\
			 { ENOBUFS,	    "ENOBUFS" },		\
			 { ERANGE,	    "ERANGE" },			\
			 { EDEADLK,	    "EDEADLK" },		\
			 { EPROTO,	    "EPROTO" },			\
			 { EBADFD,	    "EBADFD" },			\
			 { EPROTONOSUPPORT, "EPROTONOSUPPORT" },	\
			 { EOPNOTSUPP,	    "EOPNOTSUPP" },		\
			 { EAFNOSUPPORT,    "EAFNOSUPPORT" },		\
			 { EADDRINUSE,	    "EADDRINUSE" },		\
			 { ETIMEDOUT,	    "ETIMEDOUT" },		\
			 { EALREADY,	    "EALREADY" },		\
			 { EINPROGRESS,	    "EINPROGRESS" },		\
			 { ECANCELED,	    "ECANCELED" },		\
			 { EPROBE_DEFER,    "EPROBE_DEFER" })

/* The members that name both sides of a binding */
#define NMR_SIDES_ENTRY							\
		__field(u64, client)					\
		__field(u64, provider)					\
		__array(char, client_module, MODULE_NAME_LEN)		\
		__array(char, provider_module, MODULE_NAME_LEN)

#define NMR_SIDES_ASSIGN						\
		__entry->client = client;				\
		__entry->provider = provider;				\
		strscpy(__entry->client_module, client_module, MODULE_NAME_LEN); \
		strscpy(__entry->provider_module, provider_module, MODULE_NAME_LEN);

TRACE_EVENT(nmr_register,
	TP_PROTO(enum nmr_side side, u64 id, const char *module, const guid_t *npi),
	TP_ARGS(side, id, module, npi),
	TP_STRUCT__entry(
		__field(int, side)
		__field(u64, id)
		__array(char, module, MODULE_NAME_LEN)
		__array(u8, npi, sizeof(guid_t))
	),
	TP_fast_assign(
		__entry->side = side;
		__entry->id = id;
		strscpy(__entry->module, module, MODULE_NAME_LEN);
		memcpy(__entry->npi, npi, sizeof(guid_t));
	),
	TP_printk("%s=%llu module=%s npi=%pUl", show_nmr_side(__entry->side),
		  __entry->id, __entry->module, __entry->npi)
);

DECLARE_EVENT_CLASS(nmr_registration,
	TP_PROTO(enum nmr_side side, u64 id),
	TP_ARGS(side, id),
	TP_STRUCT__entry(
		__field(int, side)
		__field(u64, id)
	),
	TP_fast_assign(
		__entry->side = side;
		__entry->id = id;
	),
	TP_printk("%s=%llu", show_nmr_side(__entry->side), __entry->id)
);

/* Trace the start of a deregistration. */
DEFINE_EVENT(nmr_registration, nmr_deregister,
	TP_PROTO(enum nmr_side side, u64 id),
	TP_ARGS(side, id));

/* Trace the end of a registration: its directory is gone, and waiters are about to be woken. */
DEFINE_EVENT(nmr_registration, nmr_finish,
	TP_PROTO(enum nmr_side side, u64 id),
	TP_ARGS(side, id));

/* Trace the outcome of an offer: the attach callbacks have returned. */
TRACE_EVENT(nmr_attach,
	TP_PROTO(u64 binding, u64 client, u64 provider, const char *client_module,
		 const char *provider_module, int error),
	TP_ARGS(binding, client, provider, client_module, provider_module, error),
	TP_STRUCT__entry(
		__field(u64, binding)
		NMR_SIDES_ENTRY
		__field(int, error)
	),
	TP_fast_assign(
		__entry->binding = binding;
		NMR_SIDES_ASSIGN
		__entry->error = error;
	),
	TP_printk("binding=%llu client=%llu (%s) provider=%llu (%s) error=%d (%s)",
		  __entry->binding, __entry->client, __entry->client_module,
		  __entry->provider, __entry->provider_module, __entry->error,
		  show_nmr_errno(__entry->error))
);

/* Trace the closing of a binding: its gates have closed. */
TRACE_EVENT(nmr_close,
	TP_PROTO(u64 binding, u64 client, u64 provider, const char *client_module,
		 const char *provider_module, enum nmr_detach_reason reason),
	TP_ARGS(binding, client, provider, client_module, provider_module, reason),
	TP_STRUCT__entry(
		__field(u64, binding)
		NMR_SIDES_ENTRY
		__field(int, reason)
	),
	TP_fast_assign(
		__entry->binding = binding;
		NMR_SIDES_ASSIGN
		__entry->reason = reason;
	),
	TP_printk("binding=%llu client=%llu (%s) provider=%llu (%s) reason=%s",
		  __entry->binding, __entry->client, __entry->client_module,
		  __entry->provider, __entry->provider_module,
		  show_nmr_reason(__entry->reason))
);

/* Trace the return of a detach callback. */
TRACE_EVENT(nmr_detach,
	TP_PROTO(u64 binding, enum nmr_side side, int result),
	TP_ARGS(binding, side, result),
	TP_STRUCT__entry(
		__field(u64, binding)
		__field(int, side)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->binding = binding;
		__entry->side = side;
		__entry->result = result;
	),
	TP_printk("binding=%llu side=%s result=%d (%s)", __entry->binding,
		  show_nmr_side(__entry->side), __entry->result,
		  show_nmr_errno(__entry->result))
);

/*
 * Trace the end of the detach of a side: its callback returned 0, or the side has completed.
 * Calls that the side has made may still be in flight.
 */
TRACE_EVENT(nmr_detached,
	TP_PROTO(u64 binding, enum nmr_side side, u64 us),
	TP_ARGS(binding, side, us),
	TP_STRUCT__entry(
		__field(u64, binding)
		__field(int, side)
		__field(u64, us)
	),
	TP_fast_assign(
		__entry->binding = binding;
		__entry->side = side;
		__entry->us = us;
	),
	TP_printk("binding=%llu side=%s us=%llu", __entry->binding,
		  show_nmr_side(__entry->side), __entry->us)
);

DECLARE_EVENT_CLASS(nmr_age,
	TP_PROTO(u64 binding, u64 us),
	TP_ARGS(binding, us),
	TP_STRUCT__entry(
		__field(u64, binding)
		__field(u64, us)
	),
	TP_fast_assign(
		__entry->binding = binding;
		__entry->us = us;
	),
	TP_printk("binding=%llu us=%llu", __entry->binding, __entry->us)
);

/*
 * Trace the start of cleanup, and the microseconds since the binding closed: both sides have
 * detached, no call is in flight, and cleanup callbacks follow.
 */
DEFINE_EVENT(nmr_age, nmr_cleanup,
	TP_PROTO(u64 binding, u64 us),
	TP_ARGS(binding, us));

/* Trace a binding that is stuck, and the microseconds since it closed, or began to attach. */
DEFINE_EVENT(nmr_age, nmr_stuck,
	TP_PROTO(u64 binding, u64 us),
	TP_ARGS(binding, us));

#endif /* _TRACE_NMR_H */

#include <trace/define_trace.h>
