// SPDX-License-Identifier: GPL-2.0-only
/*
 * Provide the digest NPI with the synchronous hashes of the crypto API.
 *
 * One transformation serves all bindings. Therefore the module hands the same endpoint to each
 * client, and has no callback at all. The order of steps in its init and exit
 * functions alone makes it safe to unload.
 *
 * Locks: none. digest_shash_tfm is set before the provider registers, and freed after it has
 * deregistered. No client calls before that or after that.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <crypto/hash.h>
#include <linux/nmr.h>
#include "digest_delay.h"
#include "digest_npi.h"

static struct crypto_shash *digest_shash_tfm;

static struct shash_desc *digest_shash_desc(struct digest_state *state)
{
	return (struct shash_desc *)state->space;
}

static int digest_shash_init(void *context, struct digest_state *state)
{
	struct shash_desc *desc = digest_shash_desc(state);

	digest_delay();
	desc->tfm = digest_shash_tfm;
	return crypto_shash_init(desc);
}

static int digest_shash_update(void *context, struct digest_state *state,
			       const u8 *data, size_t len)
{
	return crypto_shash_update(digest_shash_desc(state), data, len);
}

static int digest_shash_final(void *context, struct digest_state *state, u8 *digest)
{
	return crypto_shash_final(digest_shash_desc(state), digest);
}

static const struct digest_provider_dispatch digest_shash_dispatch = {
	.init	= digest_shash_init,
	.update	= digest_shash_update,
	.final	= digest_shash_final,
	.name	= "shash",
};

static const struct digest_characteristics digest_shash_specific = {
	.version = DIGEST_VERSION,
};

static const guid_t digest_shash_module_id = NMR_GUID("9bcd55b6-3e15-415f-8a61-d6d803e18365");

static const struct nmr_provider_characteristics digest_shash_provider = {
	.endpoint	= { .dispatch = &digest_shash_dispatch },
	.instance	= {
		.npi_id		= &digest_npi_id,
		.module_id	= &digest_shash_module_id,
		.npi_specific	= &digest_shash_specific,
	},
};

static struct nmr_provider_handle digest_shash_handle;

static int __init digest_shash_module_init(void)
{
	int err;

	digest_shash_tfm = crypto_alloc_shash("sha256", 0, 0);
	if (IS_ERR(digest_shash_tfm))
		return PTR_ERR(digest_shash_tfm);
	if (sizeof(struct shash_desc) + crypto_shash_descsize(digest_shash_tfm) >
	    DIGEST_STATE_SIZE) {
		err = -EOVERFLOW;
		goto err_free;
	}
	pr_info("using %s\n", crypto_shash_driver_name(digest_shash_tfm));

	/* Register last: clients may call before the function returns. */
	err = nmr_register_provider(&digest_shash_provider, NULL, &digest_shash_handle);
	if (err)
		goto err_free;
	return 0;

err_free:
	crypto_free_shash(digest_shash_tfm);
	return err;
}
module_init(digest_shash_module_init);

static void __exit digest_shash_module_exit(void)
{
	/* Deregister first: afterwards no call is in flight, and none can come. */
	nmr_deregister_provider_sync(digest_shash_handle);
	crypto_free_shash(digest_shash_tfm);
}
module_exit(digest_shash_module_exit);

MODULE_NMR_PROVIDER(DIGEST_NPI_GUID);
MODULE_NMR_INTERFACE(DIGEST_NPI_GUID, "digest");
MODULE_DESCRIPTION("NMR sample: SHA-256 through a synchronous hash");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
