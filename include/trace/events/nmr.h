/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of the Network Module Registrar. The handles, nmr_binding_id() and
 * /sys/kernel/nmr have the same numbers as the events.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM nmr

#if !defined(_TRACE_NMR_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_NMR_H

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

/* Trace the end of a registration: nothing of it is left, and waiters are woken. */
DEFINE_EVENT(nmr_registration, nmr_finish,
	TP_PROTO(enum nmr_side side, u64 id),
	TP_ARGS(side, id));

/* Trace the outcome of an offer: the attach callbacks have returned. */
TRACE_EVENT(nmr_attach,
	TP_PROTO(u64 binding, u64 client, u64 provider, int error),
	TP_ARGS(binding, client, provider, error),
	TP_STRUCT__entry(
		__field(u64, binding)
		__field(u64, client)
		__field(u64, provider)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->binding = binding;
		__entry->client = client;
		__entry->provider = provider;
		__entry->error = error;
	),
	TP_printk("binding=%llu client=%llu provider=%llu error=%d", __entry->binding,
		  __entry->client, __entry->provider, __entry->error)
);

/* Trace the closing of a binding: its gates have closed. */
TRACE_EVENT(nmr_close,
	TP_PROTO(u64 binding, enum nmr_detach_reason reason),
	TP_ARGS(binding, reason),
	TP_STRUCT__entry(
		__field(u64, binding)
		__field(int, reason)
	),
	TP_fast_assign(
		__entry->binding = binding;
		__entry->reason = reason;
	),
	TP_printk("binding=%llu reason=%s", __entry->binding,
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
	TP_printk("binding=%llu side=%s result=%d", __entry->binding,
		  show_nmr_side(__entry->side), __entry->result)
);

/* Trace the start of cleanup: both sides have detached, and cleanup callbacks follow. */
TRACE_EVENT(nmr_cleanup,
	TP_PROTO(u64 binding),
	TP_ARGS(binding),
	TP_STRUCT__entry(
		__field(u64, binding)
	),
	TP_fast_assign(
		__entry->binding = binding;
	),
	TP_printk("binding=%llu", __entry->binding)
);

#endif /* _TRACE_NMR_H */

#include <trace/define_trace.h>
