/* SPDX-License-Identifier: GPL-2.0-only */
/* The hello NPI: what a provider and a client have to agree on. */
#ifndef _HELLO_NPI_H
#define _HELLO_NPI_H

#include <linux/uuid.h>

/* The name of the NPI. Generate your own with uuidgen(1). */
#define HELLO_NPI_GUID	"527f8f93-c543-4216-8a82-c6059525fa7d"

static const guid_t hello_npi_id =
	GUID_INIT(0x527f8f93, 0xc543, 0x4216,
		  0x8a, 0x82, 0xc6, 0x05, 0x95, 0x25, 0xfa, 0x7d);

/**
 * struct hello_provider_dispatch - functions of a provider of the hello NPI
 * @greet: greet @name; @context is the provider's binding context
 */
struct hello_provider_dispatch {
	void (*greet)(void *context, const char *name);
};

#endif /* _HELLO_NPI_H */
