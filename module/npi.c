// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Interfaces
 *
 * An NPI exists while a registration holds it.
 *
 * **Order of arrival.** A registration draws its number in the order of arrival in the
 * critical section that makes it visible to its peers. So if two registrations race, every
 * task sees the same one as the later. The later one makes the offer: exactly one of the two
 * does.
 *
 * The registrations of an NPI are a tree by that number, and not a list. So a walk keeps its
 * place as a plain number. The walking task may drop the lock at any step, and the
 * registration that it has reached may leave.
 */
/*
 * Locking: nmr_npi_lock for the tree of NPIs and nmr_npi.users. It is a spinlock, so that a
 * registration that finishes never waits for an allocation of a registration that begins.
 * nmr_lock for the registrations that have joined.
 */

#include <linux/slab.h>

#include "registration.h"

static struct rb_root nmr_npis = RB_ROOT;	/* by GUID */
static DEFINE_SPINLOCK(nmr_npi_lock);
static u64 nmr_arrivals;			/* nmr_lock */

static int nmr_npi_cmp(const void *id, const struct rb_node *node)
{
	return memcmp(id, &rb_entry(node, struct nmr_npi, node)->id, sizeof(guid_t));
}

static int nmr_npi_cmp_node(struct rb_node *new, const struct rb_node *node)
{
	return nmr_npi_cmp(&rb_entry(new, struct nmr_npi, node)->id, node);
}

static struct nmr_npi *nmr_npi_alloc(const guid_t *id)
{
	struct nmr_npi *npi = kzalloc(sizeof(*npi), GFP_KERNEL);

	if (npi) {
		guid_copy(&npi->id, id);
		snprintf(npi->variable, sizeof(npi->variable), "NMR_INTERFACE=%pUl", id);
		npi->name = npi->variable + strlen("NMR_INTERFACE=");
		INIT_LIST_HEAD(&npi->waiting);
	}
	return npi;
}

/* Find the NPI @id and hold it. If there is none, add and return @new, which may be NULL. */
static struct nmr_npi *nmr_npi_hold(const guid_t *id, struct nmr_npi *new)
{
	struct nmr_npi *npi = new;
	struct rb_node *node;

	spin_lock(&nmr_npi_lock);
	if (new)
		node = rb_find_add(&new->node, &nmr_npis, nmr_npi_cmp_node);
	else
		node = rb_find(id, &nmr_npis, nmr_npi_cmp);
	if (node)
		npi = rb_entry(node, struct nmr_npi, node);
	if (npi)
		npi->users++;
	spin_unlock(&nmr_npi_lock);
	return npi;
}

/* Find or create the NPI @id, and hold it. Return: NULL: allocation failure. */
struct nmr_npi *nmr_npi_get(const guid_t *id)
{
	struct nmr_npi *npi = nmr_npi_hold(id, NULL), *new;

	if (npi)
		return npi;
	new = nmr_npi_alloc(id);
	if (!new)
		return NULL;
	npi = nmr_npi_hold(id, new);
	if (npi != new)
		kfree(new);
	return npi;
}

void nmr_npi_put(struct nmr_npi *npi)
{
	bool last;

	spin_lock(&nmr_npi_lock);
	last = !--npi->users;
	if (last)
		rb_erase(&npi->node, &nmr_npis);
	spin_unlock(&nmr_npi_lock);
	if (last)
		kfree(npi);
}

static bool nmr_earlier(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct nmr_registration, arrived)->seq <
	       rb_entry(b, struct nmr_registration, arrived)->seq;
}

/*
 * Let peers find @reg. Its register call makes the offers to earlier peers, and the register
 * calls of later peers make the offers to them. No offer is owed to @reg until one of these
 * calls withholds it.
 */
void nmr_npi_join(struct nmr_registration *reg)
{
	lockdep_assert_held(&nmr_lock);
	reg->seq = ++nmr_arrivals;
	reg->offered = reg->seq;
	reg->npi->providers += reg->side == NMR_PROVIDER;
	rb_add(&reg->arrived, &reg->npi->arrived[reg->side], nmr_earlier);
}

/* Take @reg out of its NPI. From now on no task begins an offer to it. */
void nmr_npi_leave(struct nmr_registration *reg)
{
	lockdep_assert_held(&nmr_lock);
	rb_erase(&reg->arrived, &reg->npi->arrived[reg->side]);
}

/* Return: the first registration of that side that arrived after @seq, or NULL. */
struct nmr_registration *nmr_npi_next(const struct nmr_npi *npi, enum nmr_side side,
				      u64 seq)
{
	struct rb_node *node = npi->arrived[side].rb_node;
	struct nmr_registration *next = NULL;

	lockdep_assert_held(&nmr_lock);
	while (node) {
		struct nmr_registration *reg =
			rb_entry(node, struct nmr_registration, arrived);

		if (reg->seq > seq) {
			next = reg;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return next;
}
