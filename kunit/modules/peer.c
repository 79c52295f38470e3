// SPDX-License-Identifier: GPL-2.0-only
/*
 * A peer for the integration tests: providers and clients of one NPI in a real
 * module, so that insmod and rmmod meet the registrar the way its users do.
 *
 * The module calls every peer it is bound to all the time, from threads and from
 * a hardirq, and checks every answer. Parameters hold each step of a binding's
 * life, and other parameters show what happened, so that a test waits for a state
 * and never for a time.
 *
 * The files nmr_peer_?.c include this one. The modules differ in their names, and
 * the last letter of the name is the last byte of the module id.
 */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kmod.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/nmr.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/sysfs.h>
#include <linux/uuid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../by_side.h"
#include "../compat.h"

#define PEER_MAX	16
#define PEER_MAGIC	0x6e6d725f70656572ULL
#define PEER_TICK	(2 * NSEC_PER_MSEC)

struct peer_dispatch {
	u64 (*ask)(void *context, u64 question);
};

/*
 * Our half of a binding, on peer_bindings from attach until cleanup. Readers walk
 * the list under RCU. Updates of the list and of @pending need peer_lock.
 */
struct peer_binding {
	struct list_head	 node;
	struct rcu_head		 rcu;
	struct nmr_binding	*binding;
	enum nmr_side		 side;
	struct nmr_endpoint	 theirs;
	u64			 magic;
	bool			 pending;
};

/* A reference that outlives the binding: taken at attach, put at module exit. */
struct peer_ref {
	struct list_head	 node;
	struct nmr_binding	*binding;
	enum nmr_side		 side;
};

static LIST_HEAD(peer_bindings);
static LIST_HEAD(peer_refs);
static DEFINE_SPINLOCK(peer_lock);
static DECLARE_WAIT_QUEUE_HEAD(peer_wait);

/* Configuration, set when the module is loaded */

static unsigned int providers;
module_param(providers, uint, 0444);
MODULE_PARM_DESC(providers, "providers to register");

static unsigned int clients;
module_param(clients, uint, 0444);
MODULE_PARM_DESC(clients, "clients to register");

static unsigned int max_bindings;
module_param(max_bindings, uint, 0444);
MODULE_PARM_DESC(max_bindings, "providers a client is bound to at most");

static unsigned int npi = 1;
module_param(npi, uint, 0444);
MODULE_PARM_DESC(npi, "last byte of the NPI's id");

static char *guid;
module_param(guid, charp, 0444);
MODULE_PARM_DESC(guid, "the NPI's id, if it is not one of the peers' own");

static char *request = "";
module_param(request, charp, 0444);
MODULE_PARM_DESC(request, "load the modules of providers: init (before the parties register) or work (in a work item)");

static unsigned int threads;
module_param(threads, uint, 0444);
MODULE_PARM_DESC(threads, "threads that call all the time");

static bool spread;
module_param(spread, bool, 0444);
MODULE_PARM_DESC(spread, "thread N calls from CPU N");

static bool timer;
module_param(timer, bool, 0444);
MODULE_PARM_DESC(timer, "call from a hardirq all the time");

static unsigned int call_us;
module_param(call_us, uint, 0444);
MODULE_PARM_DESC(call_us, "microseconds that a call into this module sleeps, if in a task");

static bool keep;
module_param(keep, bool, 0444);
MODULE_PARM_DESC(keep, "keep a reference to every binding until exit");

static bool fail_init;
module_param(fail_init, bool, 0444);
MODULE_PARM_DESC(fail_init, "fail the module's init after all parties are registered");

static char *leave = "sync";
module_param(leave, charp, 0444);
MODULE_PARM_DESC(leave, "at exit: sync, nowait (deregister alone), forget, or leak (sync, with references kept)");

static unsigned int wait_seconds;
module_param(wait_seconds, uint, 0444);
MODULE_PARM_DESC(wait_seconds, "seconds that init waits for the first client's binding, and fails without one");

static int attach_error;
module_param(attach_error, int, 0644);
MODULE_PARM_DESC(attach_error, "return value of the attach callbacks, if not 0");

static int late_error;
module_param(late_error, int, 0644);
MODULE_PARM_DESC(late_error, "return value of a client's attach callback after the provider attached, if not 0");

/* Steps that are held, set and cleared at any time */

enum peer_step {
	PEER_ATTACH,
	PEER_CALL,
	PEER_DETACH,
	PEER_DETACH_CALLBACK,
	PEER_CLEANUP,
	PEER_STEPS
};

static bool peer_held[PEER_STEPS];

/* Calls that are held, unlike calls that are about to return. */
static atomic_t peer_calls_held = ATOMIC_INIT(0);
module_param_named(calls_held, peer_calls_held.counter, int, 0444);
MODULE_PARM_DESC(calls_held, "calls into this module that are held now");

static void peer_hold_here(enum peer_step step)
{
	if (step == PEER_CALL)
		atomic_inc(&peer_calls_held);
	wait_event_idle(peer_wait, !READ_ONCE(peer_held[step]));
	if (step == PEER_CALL)
		atomic_dec(&peer_calls_held);
}

/*
 * Complete pending detaches. The walk is safe with the lock held, since the cleanup
 * that a completion starts takes the lock before it frees a half.
 */
static void peer_complete_pending(void)
{
	struct peer_binding *b;

	spin_lock(&peer_lock);
	list_for_each_entry(b, &peer_bindings, node) {
		if (b->pending && !READ_ONCE(peer_held[PEER_DETACH])) {
			b->pending = false;
			by_side_complete(b->side, b->binding);
		}
	}
	spin_unlock(&peer_lock);
}

static int peer_held_set(const char *val, const struct kernel_param *kp)
{
	int err = param_set_bool(val, kp);

	if (err)
		return err;
	peer_complete_pending();
	wake_up_all(&peer_wait);
	return 0;
}

static const struct kernel_param_ops peer_held_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = peer_held_set,
	.get = param_get_bool,
};

module_param_cb(hold_attach, &peer_held_ops, &peer_held[PEER_ATTACH], 0644);
MODULE_PARM_DESC(hold_attach, "attach callbacks do not return");
module_param_cb(hold_call, &peer_held_ops, &peer_held[PEER_CALL], 0644);
MODULE_PARM_DESC(hold_call, "calls into this module, unless from a hardirq, do not return");
module_param_cb(hold_detach, &peer_held_ops, &peer_held[PEER_DETACH], 0644);
MODULE_PARM_DESC(hold_detach, "detach callbacks are pending");
module_param_cb(hold_detach_callback, &peer_held_ops, &peer_held[PEER_DETACH_CALLBACK], 0644);
MODULE_PARM_DESC(hold_detach_callback, "detach callbacks do not return");
module_param_cb(hold_cleanup, &peer_held_ops, &peer_held[PEER_CLEANUP], 0644);
MODULE_PARM_DESC(hold_cleanup, "cleanup callbacks do not return");

/* Counts, which are read only */

enum peer_count {
	PEER_ASKED,
	PEER_REFUSED,
	PEER_WRONG,
	PEER_ATTACHED,
	PEER_DETACHED,
	PEER_CLEANED,
	PEER_COUNTS
};

static atomic_long_t peer_counts[PEER_COUNTS];

static void peer_count(enum peer_count what)
{
	atomic_long_inc(&peer_counts[what]);
}

static int peer_count_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%ld\n", atomic_long_read(kp->arg));
}

static const struct kernel_param_ops peer_count_ops = {
	.get = peer_count_get,
};

module_param_cb(asked, &peer_count_ops, &peer_counts[PEER_ASKED], 0444);
MODULE_PARM_DESC(asked, "calls made");
module_param_cb(refused, &peer_count_ops, &peer_counts[PEER_REFUSED], 0444);
MODULE_PARM_DESC(refused, "calls not made, since the gate was closed");
module_param_cb(wrong, &peer_count_ops, &peer_counts[PEER_WRONG], 0444);
MODULE_PARM_DESC(wrong, "calls that met a wrong answer or a context cleaned up");
module_param_cb(attached, &peer_count_ops, &peer_counts[PEER_ATTACHED], 0444);
MODULE_PARM_DESC(attached, "attach callbacks that succeeded");
module_param_cb(detached, &peer_count_ops, &peer_counts[PEER_DETACHED], 0444);
MODULE_PARM_DESC(detached, "detach callbacks");
module_param_cb(cleaned, &peer_count_ops, &peer_counts[PEER_CLEANED], 0444);
MODULE_PARM_DESC(cleaned, "cleanup callbacks that ran to their end");

static int reason = -1;
module_param(reason, int, 0444);
MODULE_PARM_DESC(reason, "reason that the last detach callback was given");

static unsigned long provider_ids[PEER_MAX];
static unsigned int provider_ids_count;
module_param_array(provider_ids, ulong, &provider_ids_count, 0444);
MODULE_PARM_DESC(provider_ids, "handles of the providers");

static unsigned long client_ids[PEER_MAX];
static unsigned int client_ids_count;
module_param_array(client_ids, ulong, &client_ids_count, 0444);
MODULE_PARM_DESC(client_ids, "handles of the clients");

static int peer_bindings_get(char *buffer, const struct kernel_param *kp)
{
	struct peer_binding *b;
	int len = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(b, &peer_bindings, node)
		len += sysfs_emit_at(buffer, len, "%s%llu", len ? " " : "",
				     nmr_binding_id(b->binding));
	rcu_read_unlock();
	return len + sysfs_emit_at(buffer, len, "\n");
}

static const struct kernel_param_ops peer_bindings_ops = {
	.get = peer_bindings_get,
};

module_param_cb(bindings, &peer_bindings_ops, NULL, 0444);
MODULE_PARM_DESC(bindings, "ids of the bindings, oldest first");

/* Count the kept references through which a call can enter: none after detach. */
static int peer_kept_open_get(char *buffer, const struct kernel_param *kp)
{
	struct peer_ref *ref;
	int open = 0;

	spin_lock(&peer_lock);
	list_for_each_entry(ref, &peer_refs, node) {
		if (by_side_enter(ref->side, ref->binding)) {
			by_side_exit(ref->side, ref->binding);
			open++;
		}
	}
	spin_unlock(&peer_lock);
	return sysfs_emit(buffer, "%d\n", open);
}

static const struct kernel_param_ops peer_kept_open_ops = {
	.get = peer_kept_open_get,
};

module_param_cb(kept_open, &peer_kept_open_ops, NULL, 0444);
MODULE_PARM_DESC(kept_open, "references kept through which a call still enters");

/* The NPI, the same for both sides */

static u64 peer_ask(void *context, u64 question)
{
	struct peer_binding *b = context;

	if (in_task()) {
		peer_hold_here(PEER_CALL);
		if (call_us)
			usleep_range(call_us, 2 * call_us);
	}
	return question ^ READ_ONCE(b->magic);
}

static const struct peer_dispatch peer_dispatch = {
	.ask = peer_ask,
};

static void peer_ask_one(struct peer_binding *b)
{
	const struct peer_dispatch *dispatch = b->theirs.dispatch;
	u64 question = get_cycles();

	peer_count(PEER_ASKED);
	if (dispatch->ask(b->theirs.binding_context, question) !=
	    (question ^ PEER_MAGIC))
		peer_count(PEER_WRONG);
}

/*
 * Call through all bindings once, from a task or a hardirq. A call in flight keeps
 * @b and its place in the list valid without RCU. The RCU read-side section therefore
 * begins again before the exit.
 */
static bool peer_ask_all(void)
{
	struct peer_binding *b;
	bool asked = false;

	rcu_read_lock();
	list_for_each_entry_rcu(b, &peer_bindings, node) {
		if (!by_side_enter(b->side, b->binding)) {
			peer_count(PEER_REFUSED);
			continue;
		}
		rcu_read_unlock();
		peer_ask_one(b);
		asked = true;
		rcu_read_lock();
		by_side_exit(b->side, b->binding);
	}
	rcu_read_unlock();
	return asked;
}

/* Callers: threads and a timer */

static struct task_struct *peer_tasks[PEER_MAX];
static struct hrtimer peer_hrtimer;

static int peer_caller(void *number)
{
	set_user_nice(current, MAX_NICE);
	if (spread)
		set_cpus_allowed_ptr(current, cpumask_of((long)number));
	while (!kthread_should_stop()) {
		if (peer_ask_all())
			cond_resched();
		else
			schedule_timeout_idle(1);
	}
	return 0;
}

static enum hrtimer_restart peer_tick(struct hrtimer *t)
{
	peer_ask_all();
	hrtimer_forward_now(t, PEER_TICK);
	return HRTIMER_RESTART;
}

static void peer_stop_callers(void)
{
	unsigned int i;

	if (timer)
		hrtimer_cancel(&peer_hrtimer);
	for (i = 0; i < ARRAY_SIZE(peer_tasks); i++)
		if (!IS_ERR_OR_NULL(peer_tasks[i]))
			kthread_stop(peer_tasks[i]);
}

static int peer_start_callers(void)
{
	unsigned int i;

	if (timer) {
		hrtimer_setup(&peer_hrtimer, peer_tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
		hrtimer_start(&peer_hrtimer, PEER_TICK, HRTIMER_MODE_REL_HARD);
	}
	for (i = 0; i < threads; i++) {
		peer_tasks[i] = kthread_run(peer_caller, (void *)(long)i, "%s/%u",
					    KBUILD_MODNAME, i);
		if (IS_ERR(peer_tasks[i])) {
			peer_stop_callers();
			return PTR_ERR(peer_tasks[i]);
		}
	}
	return 0;
}

/* The life of a binding */

static struct peer_binding *peer_new(struct nmr_binding *binding,
				     enum nmr_side side)
{
	struct peer_binding *b = kzalloc(sizeof(*b), GFP_KERNEL);

	if (!b)
		return NULL;
	b->binding = binding;
	b->side = side;
	b->magic = PEER_MAGIC;
	return b;
}

static int peer_keep(struct peer_binding *b)
{
	struct peer_ref *ref;

	if (!keep)
		return 0;
	ref = kmalloc(sizeof(*ref), GFP_KERNEL);
	if (!ref)
		return -ENOMEM;
	ref->binding = nmr_binding_get(b->binding);
	ref->side = b->side;
	spin_lock(&peer_lock);
	list_add_tail(&ref->node, &peer_refs);
	spin_unlock(&peer_lock);
	return 0;
}

static void peer_drop_refs(bool put)
{
	struct peer_ref *ref, *next;

	list_for_each_entry_safe(ref, next, &peer_refs, node) {
		if (put)
			nmr_binding_put(ref->binding);
		kfree(ref);
	}
}

/* Print addresses of kept bindings, for the module that puts the leaked references. */
static int peer_kept_get(char *buffer, const struct kernel_param *kp)
{
	struct peer_ref *ref;
	int len = 0;

	spin_lock(&peer_lock);
	list_for_each_entry(ref, &peer_refs, node)
		len += sysfs_emit_at(buffer, len, "%s%lu", len ? " " : "",
				     (unsigned long)ref->binding);
	spin_unlock(&peer_lock);
	return len + sysfs_emit_at(buffer, len, "\n");
}

static const struct kernel_param_ops peer_kept_ops = {
	.get = peer_kept_get,
};

module_param_cb(kept, &peer_kept_ops, NULL, 0400);
MODULE_PARM_DESC(kept, "addresses of bindings with a kept reference");

static int peer_put_set(const char *val, const struct kernel_param *kp)
{
	unsigned long binding;
	int err = kstrtoul(val, 10, &binding);

	if (!err)
		nmr_binding_put((struct nmr_binding *)binding);
	return err;
}

static const struct kernel_param_ops peer_put_ops = {
	.set = peer_put_set,
};

module_param_cb(put, &peer_put_ops, NULL, 0200);
MODULE_PARM_DESC(put, "put the reference on the binding at this address");

/* Let callers find a binding: the last step of an attach that succeeds. */
static int peer_publish(struct peer_binding *b)
{
	int err = peer_keep(b);

	if (err)
		return err;
	spin_lock(&peer_lock);
	list_add_tail_rcu(&b->node, &peer_bindings);
	spin_unlock(&peer_lock);
	peer_count(PEER_ATTACHED);
	return 0;
}

static int peer_attach_provider(struct nmr_binding *binding, void *context,
				const struct nmr_registration_instance *provider)
{
	struct nmr_endpoint ours = { .dispatch = &peer_dispatch };
	struct peer_binding *b;
	int err;

	peer_hold_here(PEER_ATTACH);
	if (attach_error)
		return attach_error;
	b = peer_new(binding, NMR_CLIENT);
	if (!b)
		return -ENOMEM;
	ours.binding_context = b;
	err = nmr_client_attach_provider(binding, &ours, &b->theirs);
	if (!err)
		err = late_error ?: peer_publish(b);
	if (err)
		kfree(b);
	return err;
}

static int peer_attach_client(struct nmr_binding *binding, void *context,
			      const struct nmr_registration_instance *instance,
			      const struct nmr_endpoint *client,
			      struct nmr_endpoint *provider)
{
	struct peer_binding *b;
	int err;

	peer_hold_here(PEER_ATTACH);
	if (attach_error)
		return attach_error;
	b = peer_new(binding, NMR_PROVIDER);
	if (!b)
		return -ENOMEM;
	b->theirs = *client;
	provider->binding_context = b;
	provider->dispatch = &peer_dispatch;
	err = peer_publish(b);
	if (err)
		kfree(b);
	return err;
}

static int peer_detach(void *context, enum nmr_detach_reason why)
{
	struct peer_binding *b = context;
	int ret = 0;

	peer_hold_here(PEER_DETACH_CALLBACK);
	spin_lock(&peer_lock);
	reason = why;
	if (READ_ONCE(peer_held[PEER_DETACH])) {
		b->pending = true;
		ret = -EINPROGRESS;
	}
	spin_unlock(&peer_lock);
	peer_count(PEER_DETACHED);
	return ret;
}

/* Remove the magic, so that a call that runs too late finds it missing. */
static void peer_cleanup(void *context)
{
	struct peer_binding *b = context;

	WRITE_ONCE(b->magic, 0);
	peer_hold_here(PEER_CLEANUP);
	spin_lock(&peer_lock);
	list_del_rcu(&b->node);
	spin_unlock(&peer_lock);
	kfree_rcu(b, rcu);
	peer_count(PEER_CLEANED);
}

/* The module */

static guid_t peer_npi_id = GUID_INIT(0x6e6d7201, 0x7065, 0x6572,
				      0x80, 0, 0, 0, 0, 0, 0, 0);
static guid_t peer_module_id = GUID_INIT(0x6e6d7202, 0x7065, 0x6572,
					 0x80, 0, 0, 0, 0, 0, 0, 0);

static struct nmr_provider_handle peer_providers[PEER_MAX];
static struct nmr_client_handle peer_clients[PEER_MAX];

static int peer_set_ids(void)
{
	peer_npi_id.b[15] = npi;
	peer_module_id.b[15] = KBUILD_MODNAME[sizeof(KBUILD_MODNAME) - 2];
	return guid ? guid_parse(guid, &peer_npi_id) : 0;
}

static void peer_request(struct work_struct *work)
{
	request_module("nmr-provider:%pUl", &peer_npi_id);
}

static DECLARE_WORK(peer_request_work, peer_request);

static int peer_register_provider(u32 number)
{
	const struct nmr_provider_characteristics c = {
		.attach_client = peer_attach_client,
		.detach_client = peer_detach,
		.cleanup_binding_context = peer_cleanup,
		.instance = {
			.npi_id = &peer_npi_id,
			.module_id = &peer_module_id,
			.number = number,
		},
	};
	int err = nmr_register_provider(&c, NULL, &peer_providers[number]);

	if (!err)
		provider_ids[provider_ids_count++] = peer_providers[number].id;
	return err;
}

static int peer_register_client(u32 number)
{
	const struct nmr_client_characteristics c = {
		.attach_provider = peer_attach_provider,
		.detach_provider = peer_detach,
		.cleanup_binding_context = peer_cleanup,
		.instance = {
			.npi_id = &peer_npi_id,
			.module_id = &peer_module_id,
			.number = number,
		},
		.max_bindings = max_bindings,
	};
	int err = nmr_register_client(&c, NULL, &peer_clients[number]);

	if (!err)
		client_ids[client_ids_count++] = peer_clients[number].id;
	return err;
}

static void peer_deregister_all(bool wait)
{
	unsigned int i;

	for (i = 0; i < client_ids_count; i++)
		nmr_deregister_client(peer_clients[i]);
	for (i = 0; i < provider_ids_count; i++)
		nmr_deregister_provider(peer_providers[i]);
	for (i = 0; wait && i < client_ids_count; i++)
		nmr_wait_for_client_deregister_complete(peer_clients[i]);
	for (i = 0; wait && i < provider_ids_count; i++)
		nmr_wait_for_provider_deregister_complete(peer_providers[i]);
}

static int peer_register_all(void)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < providers; i++)
		err = peer_register_provider(i);
	for (i = 0; !err && i < clients; i++)
		err = peer_register_client(i);
	return err;
}

static int __init peer_init(void)
{
	int err;

	if (providers > PEER_MAX || clients > PEER_MAX || threads > PEER_MAX)
		return -EINVAL;
	if (spread && threads > num_online_cpus())
		return -EINVAL;
	err = peer_set_ids();
	if (!err)
		err = peer_start_callers();
	if (err)
		return err;
	if (!strcmp(request, "init"))
		peer_request(NULL);
	err = peer_register_all();
	if (!err && wait_seconds)
		err = nmr_client_wait_for_binding(peer_clients[0], wait_seconds * HZ);
	if (err)
		peer_deregister_all(true);
	else if (fail_init)
		err = -EIO;
	if (err)
		peer_stop_callers();
	else if (!strcmp(request, "work"))
		schedule_work(&peer_request_work);
	return err;
}

static void __exit peer_exit(void)
{
	cancel_work_sync(&peer_request_work);
	if (strcmp(leave, "forget"))
		peer_deregister_all(strcmp(leave, "nowait"));
	peer_stop_callers();
	peer_drop_refs(strcmp(leave, "leak"));
}

module_init(peer_init);
module_exit(peer_exit);

MODULE_DESCRIPTION("A provider and client for the integration tests of nmr");
MODULE_ALIAS_NMR_PROVIDER("6e6d7201-7065-6572-8000-000000000001");
MODULE_IMPORT_NMR();
MODULE_LICENSE("GPL");
