/* SPDX-License-Identifier: GPL-2.0-only */
/* The hello NPI: what a provider and a client have to agree on. */
#ifndef _HELLO_NPI_H
#define _HELLO_NPI_H

#include <linux/nmr.h>

/* The name of the NPI. Generate your own with uuidgen(1). */
#define HELLO_NPI_GUID	"527f8f93-c543-4216-8a82-c6059525fa7d"

static const guid_t hello_npi_id = NMR_GUID(HELLO_NPI_GUID);

/**
 * struct hello_provider_dispatch - functions of a provider of the hello NPI
 * @greet: greet @name; @context is the provider's binding context
 */
struct hello_provider_dispatch {
	void (*greet)(void *context, const char *name);
};

/* Call a provider, in a call that the client has entered. */
static inline void hello_call_greet(const struct nmr_call *call, const char *name)
{
	const struct hello_provider_dispatch *dispatch = call->dispatch;

	dispatch->greet(call->context, name);
}

#endif /* _HELLO_NPI_H */
