// SPDX-License-Identifier: GPL-2.0-only
/*
 * Provide the digest NPI with the asynchronous hashes of the crypto API, as a driver for a
 * hash engine would.
 *
 * Each binding has a transformation of its own, which is the binding context. The attach
 * callback allocates it, each call gets it, and the cleanup callback frees it. The registrar
 * calls the cleanup callback when no call is in flight. Therefore the module needs no count of
 * calls and no detach callback.
 *
 * Locks: none. The attach callback writes the transformation of a binding, and calls only
 * read it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <crypto/hash.h>
#include <linux/nmr.h>
#include <linux/scatterlist.h>
#include "digest_delay.h"
#include "digest_npi.h"

/* Prepare the next step of a request: how to wait, what to read, where to write. */
static struct ahash_request *digest_ahash_step(struct digest_state *state,
					       struct crypto_wait *wait,
					       struct scatterlist *data, size_t len,
					       u8 *digest)
{
	struct ahash_request *req = (struct ahash_request *)state->space;

	ahash_request_set_callback(req, CRYPTO_TFM_REQ_MAY_SLEEP | CRYPTO_TFM_REQ_MAY_BACKLOG,
				   crypto_req_done, wait);
	ahash_request_set_crypt(req, data, digest, len);
	return req;
}

static int digest_ahash_init(void *context, struct digest_state *state)
{
	DECLARE_CRYPTO_WAIT(wait);
	struct ahash_request *req;

	digest_delay();
	req = digest_ahash_step(state, &wait, NULL, 0, NULL);
	ahash_request_set_tfm(req, context);
	return crypto_wait_req(crypto_ahash_init(req), &wait);
}

static int digest_ahash_update(void *context, struct digest_state *state,
			       const u8 *data, size_t len)
{
	DECLARE_CRYPTO_WAIT(wait);
	struct ahash_request *req;
	struct scatterlist sg;

	sg_init_one(&sg, data, len);
	req = digest_ahash_step(state, &wait, &sg, len, NULL);
	return crypto_wait_req(crypto_ahash_update(req), &wait);
}

static int digest_ahash_final(void *context, struct digest_state *state, u8 *digest)
{
	DECLARE_CRYPTO_WAIT(wait);
	struct ahash_request *req;

	req = digest_ahash_step(state, &wait, NULL, 0, digest);
	return crypto_wait_req(crypto_ahash_final(req), &wait);
}

static const struct digest_provider_dispatch digest_ahash_dispatch = {
	.init	= digest_ahash_init,
	.update	= digest_ahash_update,
	.final	= digest_ahash_final,
	.name	= "ahash",
};

static int digest_ahash_attach_client(struct nmr_binding *binding, void *provider_context,
				      const struct nmr_registration_instance *instance,
				      const struct nmr_endpoint *client,
				      struct nmr_endpoint *provider)
{
	struct crypto_ahash *tfm;

	/* An attach callback must not wait for a module to load: see MODULE_SOFTDEP() below. */
	tfm = crypto_alloc_ahash("sha256", 0, CRYPTO_NOLOAD);
	if (tfm == ERR_PTR(-ENOMEM))
		return -EPROBE_DEFER;	/* There may be memory later. */
	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	if (sizeof(struct ahash_request) + crypto_ahash_reqsize(tfm) > DIGEST_STATE_SIZE) {
		crypto_free_ahash(tfm);
		return -EOVERFLOW;
	}
	pr_info("binding %llu uses %s\n", nmr_binding_id(binding),
		crypto_ahash_driver_name(tfm));
	provider->binding_context = tfm;
	return 0;
}

static void digest_ahash_cleanup_binding_context(void *provider_binding_context)
{
	crypto_free_ahash(provider_binding_context);
}

static const struct digest_characteristics digest_ahash_specific = {
	.version = DIGEST_VERSION,
};

static const guid_t digest_ahash_module_id = NMR_GUID("904a10a5-ab8a-4cd1-9e7b-20b7620580a0");

static const struct nmr_provider_characteristics digest_ahash_provider = {
	.endpoint			= { .dispatch = &digest_ahash_dispatch },
	.attach_client			= digest_ahash_attach_client,
	.cleanup_binding_context	= digest_ahash_cleanup_binding_context,
	.instance			= {
		.npi_id		= &digest_npi_id,
		.module_id	= &digest_ahash_module_id,
		.npi_specific	= &digest_ahash_specific,
	},
};
module_nmr_provider(digest_ahash_provider, NULL);

MODULE_NMR_PROVIDER(DIGEST_NPI_GUID);
MODULE_NMR_INTERFACE(DIGEST_NPI_GUID, "digest");
MODULE_SOFTDEP("pre: crypto-sha256");
MODULE_DESCRIPTION("NMR sample: SHA-256 through an asynchronous hash");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
