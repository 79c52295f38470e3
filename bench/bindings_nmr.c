// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bindings of the registrar: many clients of one provider, or many providers of one
 * client. The module registers the many before it measures, so that the registration of
 * the one is the cost of the bindings.
 */
#include "bindings.h"

static u64 *bench_ids;			/* handles of the many */
static u64 bench_id;			/* handle of the one */

bool bench_decline;			/* clients decline */
bool bench_timed;			/* add up bench_callable */
u64 bench_callable;			/* ns from the client's attach to client_attached */

static int bindings_attach_provider(struct nmr_binding *binding, void *context,
				    const struct nmr_registration_instance *provider)
{
	int err;

	if (bench_decline)
		return -ENODEV;
	if (bench_timed)
		bench_callable -= ktime_get_ns();
	err = nmr_client_attach_provider(binding, NULL, NULL);
	if (!err)
		atomic_inc(&bench_bound);
	return err;
}

static void bindings_client_attached(void *context)
{
	if (bench_timed)
		bench_callable += ktime_get_ns();
}

static void bindings_cleanup(void *context)
{
	atomic_dec(&bench_bound);
}

static const guid_t bindings_id = BENCH_GUID(2);

static int bindings_register_client(u64 *id)
{
	struct nmr_client_characteristics c = bench_client(&bindings_id);
	struct nmr_client_handle handle = {};
	int err;

	c.attach_provider = bindings_attach_provider;
	c.cleanup_binding_context = bindings_cleanup;
	err = nmr_register_client(&c, NULL, &handle);
	*id = handle.id;
	return err;
}

static int bindings_register_provider(u64 *id)
{
	struct nmr_provider_characteristics p = bench_provider(&bindings_id);
	struct nmr_provider_handle handle = {};
	int err;

	p.client_attached = bindings_client_attached;
	err = nmr_register_provider(&p, NULL, &handle);
	*id = handle.id;
	return err;
}

static void bindings_leave_client(u64 id)
{
	nmr_deregister_client_sync((struct nmr_client_handle) { id });
}

static void bindings_leave_provider(u64 id)
{
	nmr_deregister_provider_sync((struct nmr_provider_handle) { id });
}

static const struct bindings_shape {
	const char *name;
	int (*register_many)(u64 *id);
	int (*register_one)(u64 *id);
	void (*leave_many)(u64 id);
	void (*leave_one)(u64 id);
} bindings_shapes[] = {
	{
		"clients",
		bindings_register_client, bindings_register_provider,
		bindings_leave_client, bindings_leave_provider,
	}, {
		"providers",
		bindings_register_provider, bindings_register_client,
		bindings_leave_provider, bindings_leave_client,
	}
};

static const struct bindings_shape *bench_shape = &bindings_shapes[0];

/* Register the many before the measurement, which is of their bindings. */
static int nmr_prepare(const char *shape)
{
	unsigned int i;
	int err = 0;

	bench_ids = kvcalloc(bench_n, sizeof(*bench_ids), GFP_KERNEL);
	if (!bench_ids)
		return -ENOMEM;
	if (!strcmp(shape, bindings_shapes[1].name))
		bench_shape = &bindings_shapes[1];
	for (i = 0; !err && i < bench_n; i++) {
		err = bench_shape->register_many(&bench_ids[i]);
		cond_resched();
	}
	return err;
}

static int nmr_attach(void)
{
	return bench_shape->register_one(&bench_id);
}

static void nmr_detach(void)
{
	bench_shape->leave_one(bench_id);
}

static void nmr_finish(void)
{
	unsigned int i;

	for (i = 0; bench_ids && i < bench_n && bench_ids[i]; i++)
		bench_shape->leave_many(bench_ids[i]);
	kvfree(bench_ids);
}

const struct bench_peer bench_nmr = {
	.name	 = "nmr",
	.prepare = nmr_prepare,
	.attach	 = nmr_attach,
	.detach	 = nmr_detach,
	.finish	 = nmr_finish,
};
