// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Sysfs and uevents
 *
 * Documentation/ABI/testing/sysfs-kernel-nmr describes what /sys/kernel/nmr shows.
 *
 * Registrations and bindings are kobjects in three ksets, and no class of devices. A binding
 * is no device: it has no driver and no power state. There may be 100,000 bindings, so each
 * must be cheap: it needs neither the locks of struct device nor links in /sys/class. Ksets
 * give directories and uevents, and nothing else is needed.
 *
 * What files show is nmr.ko's own memory: names are copies. The exception is the counts of a slot,
 * which are its module's: the directory of a binding is gone before its client may unload. If the
 * directory of an open file goes, reading the file returns -ENODEV. A file that is open delays no
 * other task. A task inside read() or write() delays the removal of that directory, and what waits
 * for the removal.
 */
/* Locking: none. Files read single words, so what they show may be out of date. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/kobject.h>
#include <linux/moduleparam.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sysfs.h>
#include <linux/uidgid.h>

#include "binding.h"

static bool nmr_uevents = true;
module_param_named(uevents, nmr_uevents, bool, 0644);
MODULE_PARM_DESC(uevents, "send uevents of bindings (default: Y)");

static bool nmr_autoload = true;
module_param_named(autoload, nmr_autoload, bool, 0644);
MODULE_PARM_DESC(autoload, "let uevents of clients have udev load providers (default: Y)");

static struct kobject *nmr_root;
static struct kset *nmr_sides[NMR_SIDES];
static struct kset *nmr_binding_set;

/*
 * Tell whether the calling task may end bindings, or have them made anew. That is part of what
 * rmmod and insmod do, so the task needs the same capability. Root of a container, which may own
 * files in sysfs, must not do it without.
 */
static bool nmr_may_command(void)
{
	return capable(CAP_SYS_MODULE);
}

/* Log what the calling task has asked for, as the modules concerned cannot know. */
static void nmr_log_command(const char *command, const char *type, u64 id)
{
	pr_info_ratelimited("%s of %s %llu was asked for by %s (pid %d, uid %u)\n", command,
			    type, id, current->comm, task_pid_nr(current),
			    from_kuid(&init_user_ns, current_uid()));
}

/* Registrations */

/* What modprobe looks up for a client, see MODULE_ALIAS_NMR_PROVIDER(). */
#define NMR_MODALIAS	"nmr-provider:%s"

static struct nmr_registration *to_registration(NMR_KSET_CONST struct kobject *kobj)
{
	return container_of(kobj, struct nmr_registration, kobj);
}

static ssize_t module_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_registration(kobj)->modname);
}

static ssize_t npi_id_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_registration(kobj)->npi->name);
}

static ssize_t module_id_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%pUl\n", &to_registration(kobj)->module_id);
}

static ssize_t number_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", to_registration(kobj)->instance.number);
}

static ssize_t registration_state_show(struct kobject *kobj, struct kobj_attribute *attr,
				       char *buf)
{
	return sysfs_emit(buf, "%s\n", READ_ONCE(to_registration(kobj)->leaving) ?
			  "deregistering" : "active");
}

static struct kobj_attribute module_attr = __ATTR_RO(module);
static struct kobj_attribute npi_id_attr = __ATTR_RO(npi_id);
static struct kobj_attribute module_id_attr = __ATTR_RO(module_id);
static struct kobj_attribute number_attr = __ATTR_RO(number);
static struct kobj_attribute registration_state_attr =
	__ATTR(state, 0444, registration_state_show, NULL);

static ssize_t modalias_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, NMR_MODALIAS "\n", to_registration(kobj)->npi->name);
}

static ssize_t reoffer_store(struct kobject *kobj, struct kobj_attribute *attr,
			     const char *buf, size_t count)
{
	struct nmr_registration *reg = to_registration(kobj);
	bool all = sysfs_streq(buf, "all");
	int err;

	if (!nmr_may_command())
		return -EPERM;
	if (!all && !sysfs_streq(buf, "deferred"))
		return -EINVAL;
	err = nmr_registration_reoffer(reg, all);
	if (err)
		return err;
	nmr_log_command(all ? "reoffer (all)" : "reoffer (deferred)", nmr_side_name(reg->side),
			reg->id);
	return count;
}

/*
 * Send the event anew, for a udevd that did not listen yet. Text that follows the action after a
 * space is ignored.
 */
static ssize_t uevent_store(struct kobject *kobj, struct kobj_attribute *attr,
			    const char *buf, size_t count)
{
	char *envp[2] = { "SYNTH_UUID=0" };
	size_t word = strcspn(buf, "\n ");
	enum kobject_action action;

	if (word == 3 && !strncmp(buf, "add", word))
		action = KOBJ_ADD;
	else if (word == 6 && !strncmp(buf, "change", word))
		action = KOBJ_CHANGE;
	else
		return -EINVAL;
	return kobject_uevent_env(kobj, action, envp) ?: count;
}

static struct kobj_attribute modalias_attr = __ATTR_RO(modalias);
static struct kobj_attribute reoffer_attr = __ATTR_WO(reoffer);
static struct kobj_attribute uevent_attr = __ATTR_WO(uevent);

static struct attribute *registration_attrs[] = {
	&module_attr.attr,
	&npi_id_attr.attr,
	&module_id_attr.attr,
	&number_attr.attr,
	&registration_state_attr.attr,
	&reoffer_attr.attr,
	&modalias_attr.attr,
	&uevent_attr.attr,
	NULL
};

/* Hide modalias in the directories of providers: only clients ask for modules. */
static umode_t registration_visible(struct kobject *kobj, struct attribute *attr, int n)
{
	bool hidden = attr == &modalias_attr.attr &&
		      to_registration(kobj)->side == NMR_PROVIDER;

	return hidden ? 0 : attr->mode;
}

static const struct attribute_group registration_group = {
	.attrs		= registration_attrs,
	.is_visible	= registration_visible,
};

static void registration_release(struct kobject *kobj)
{
	nmr_registration_put(to_registration(kobj));
}

/*
 * Neither type has default_groups: kobject_del() would remove their files one by one, by name.
 * Removing a directory removes all of its files at once.
 */
static struct kobj_type registration_type = {
	.sysfs_ops	= &kobj_sysfs_ops,
	.release	= registration_release,
};

/* Add the directory of @reg. Return: 0, or -ENOMEM: nothing is left behind. */
int nmr_sysfs_add_registration(struct nmr_registration *reg)
{
	int err;

	snprintf(reg->variable, sizeof(reg->variable), "NMR_%s=%llu",
		 reg->side == NMR_CLIENT ? "CLIENT" : "PROVIDER", reg->id);
	nmr_registration_get(reg);
	reg->kobj.kset = nmr_sides[reg->side];
	err = kobject_init_and_add(&reg->kobj, &registration_type, NULL, "%llu", reg->id);
	if (!err) {
		err = sysfs_create_group(&reg->kobj, &registration_group);
		if (err)
			kobject_del(&reg->kobj);
	}
	if (err)
		kobject_put(&reg->kobj);
	return err ? -ENOMEM : 0;
}

/* Send the uevent add. */
void nmr_sysfs_announce_registration(struct nmr_registration *reg)
{
	kobject_uevent(&reg->kobj, KOBJ_ADD);
}

void nmr_sysfs_remove_registration(struct nmr_registration *reg)
{
	/* No synthetic event follows the event of the removal. */
	sysfs_remove_file(&reg->kobj, &uevent_attr.attr);
	kobject_del(&reg->kobj);
	kobject_put(&reg->kobj);
}

/* Bindings */

static struct nmr_binding *to_binding(NMR_KSET_CONST struct kobject *kobj)
{
	return container_of(kobj, struct nmr_binding, kobj);
}

/* Show the state. The directory is added just before attach ends: show "attached" then, too. */
static ssize_t state_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	static const char * const states[] = {
		[NMR_ATTACHING]	= "attached",
		[NMR_ATTACHED]	= "attached",
		[NMR_CLOSING]	= "detaching",
		[NMR_DETACHING]	= "detaching",
		[NMR_CLEANING]	= "cleaning",
		[NMR_FINISHED]	= "cleaning",
	};

	return sysfs_emit(buf, "%s\n", states[READ_ONCE(to_binding(kobj)->state)]);
}

const char *nmr_reason_name(enum nmr_detach_reason reason)
{
	static const char * const reasons[] = {
		[NMR_DETACH_CLIENT_DEREGISTERED]   = "client-deregistered",
		[NMR_DETACH_PROVIDER_DEREGISTERED] = "provider-deregistered",
		[NMR_DETACH_ATTACH_FAILED]	   = "attach-failed",
		[NMR_DETACH_FALLBACK]		   = "fallback",
		[NMR_DETACH_ABORT]		   = "abort",
	};

	return reasons[reason];
}

static ssize_t reason_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	const struct nmr_binding *b = to_binding(kobj);

	return sysfs_emit(buf, "%s\n", nmr_binding_closed(b) ? nmr_reason_name(b->reason) : "");
}

static ssize_t calls_show(struct kobject *kobj, enum nmr_side side, char *buf)
{
	return sysfs_emit(buf, "%u\n", nmr_gate_in_flight(&to_binding(kobj)->gates, side));
}

static ssize_t client_calls_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return calls_show(kobj, NMR_CLIENT, buf);
}

static ssize_t provider_calls_show(struct kobject *kobj, struct kobj_attribute *attr,
				   char *buf)
{
	return calls_show(kobj, NMR_PROVIDER, buf);
}

/* Show whether @side has detached: its callback is done, and none of its calls is in flight. */
static ssize_t detach_state_show(struct kobject *kobj, enum nmr_side side, char *buf)
{
	const struct nmr_binding *b = to_binding(kobj);
	const char *state = "pending";

	switch (atomic_read(&b->detach[side])) {
	case NMR_DETACH_NONE:
		state = "none";
		break;
	case NMR_DETACH_DONE:
		if (nmr_gate_drained(&b->gates, side))
			state = "done";
		break;
	}
	return sysfs_emit(buf, "%s\n", state);
}

static ssize_t client_detach_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return detach_state_show(kobj, NMR_CLIENT, buf);
}

static ssize_t provider_detach_show(struct kobject *kobj, struct kobj_attribute *attr,
				    char *buf)
{
	return detach_state_show(kobj, NMR_PROVIDER, buf);
}

static ssize_t pending_ms_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	const struct nmr_binding *b = to_binding(kobj);
	u64 ms = 0;

	if (nmr_binding_closed(b))
		ms = jiffies64_to_msecs(jiffies - b->since);
	return sysfs_emit(buf, "%llu\n", ms);
}

static ssize_t detach_store(struct kobject *kobj, struct kobj_attribute *attr,
			    const char *buf, size_t count)
{
	struct nmr_binding *b = to_binding(kobj);
	enum nmr_detach_reason reason;
	int err;

	if (!nmr_may_command())
		return -EPERM;
	if (sysfs_streq(buf, "fallback"))
		reason = NMR_DETACH_FALLBACK;
	else if (sysfs_streq(buf, "abort"))
		reason = NMR_DETACH_ABORT;
	else
		return -EINVAL;
	err = nmr_detach_binding(b, reason);
	if (err)
		return err;
	nmr_log_command(reason == NMR_DETACH_ABORT ? "detach (abort)" : "detach (fallback)",
			"binding", b->id);
	return count;
}

static struct kobj_attribute state_attr = __ATTR_RO(state);
static struct kobj_attribute reason_attr = __ATTR_RO(reason);
static struct kobj_attribute client_calls_attr = __ATTR_RO(client_calls);
static struct kobj_attribute provider_calls_attr = __ATTR_RO(provider_calls);
static struct kobj_attribute client_detach_attr = __ATTR_RO(client_detach);
static struct kobj_attribute provider_detach_attr = __ATTR_RO(provider_detach);
static struct kobj_attribute pending_ms_attr = __ATTR_RO(pending_ms);
static struct kobj_attribute detach_attr = __ATTR_WO(detach);

static struct attribute *binding_attrs[] = {
	&state_attr.attr,
	&reason_attr.attr,
	&client_calls_attr.attr,
	&provider_calls_attr.attr,
	&client_detach_attr.attr,
	&provider_detach_attr.attr,
	&pending_ms_attr.attr,
	&detach_attr.attr,
	NULL
};

static const struct attribute_group binding_group = {
	.attrs = binding_attrs,
};

static void binding_release(struct kobject *kobj)
{
	__nmr_binding_put(to_binding(kobj));
}

static struct kobj_type binding_type = {
	.sysfs_ops	= &kobj_sysfs_ops,
	.release	= binding_release,
};

static int binding_fill(struct nmr_binding *b)
{
	int err = sysfs_create_group(&b->kobj, &binding_group);

	if (!err)
		err = sysfs_create_link(&b->kobj, &b->reg[NMR_CLIENT]->kobj, "client");
	if (!err)
		err = sysfs_create_link(&b->kobj, &b->reg[NMR_PROVIDER]->kobj, "provider");
	return err;
}

static int binding_add(struct nmr_binding *b)
{
	char name[24];
	int err;

	__nmr_binding_get(b);
	b->kobj.kset = nmr_binding_set;
	snprintf(name, sizeof(name), "%llu", b->id);
	err = kobject_init_and_add(&b->kobj, &binding_type, NULL, "%s", name);
	if (!err) {
		err = binding_fill(b);
		if (err)
			kobject_del(&b->kobj);
	}
	if (err)
		kobject_put(&b->kobj);
	return err;
}

/* Add the directory of @b. If an allocation fails, the binding works without a directory. */
void nmr_sysfs_add_binding(struct nmr_binding *b)
{
	if (binding_add(b))
		pr_err_ratelimited("no memory to show binding %llu in sysfs\n", b->id);
}

/*
 * Send the uevent add. The caller keeps @b from its cleanup meanwhile.
 *
 * An event costs 4,000 instructions even if no process listens, so bindings send no more
 * than needed, and none if the parameter uevents is off. kobject_del() sends remove if add
 * was sent.
 */
void nmr_sysfs_announce_binding(struct nmr_binding *b)
{
	if (b->kobj.state_in_sysfs && READ_ONCE(nmr_uevents))
		kobject_uevent(&b->kobj, KOBJ_ADD);
}

void nmr_sysfs_remove_binding(struct nmr_binding *b)
{
	if (!b->kobj.state_in_sysfs)
		return;
	kobject_del(&b->kobj);
	kobject_put(&b->kobj);
}

/* Send a uevent: @b is stuck. The caller keeps @b from its cleanup meanwhile. */
void nmr_sysfs_tell_stuck(struct nmr_binding *b)
{
	char *envp[2] = { "NMR_STUCK=1" };

	if (b->kobj.state_in_sysfs && READ_ONCE(nmr_uevents))
		kobject_uevent_env(&b->kobj, KOBJ_CHANGE, envp);
}

/* Events */

static const char *uevent_name(NMR_KSET_PARAMETER NMR_KSET_CONST struct kobject *kobj)
{
	return "nmr";
}

/* Do add_uevent_var() without formatting: bindings come and go by the thousand. */
static int uevent_add(struct kobj_uevent_env *env, const char *variable)
{
	size_t size = strlen(variable) + 1;

	if (env->envp_idx == ARRAY_SIZE(env->envp) || size > sizeof(env->buf) - env->buflen)
		return -ENOMEM;
	env->envp[env->envp_idx++] = memcpy(env->buf + env->buflen, variable, size);
	env->buflen += size;
	return 0;
}

static int registration_uevent(NMR_KSET_PARAMETER NMR_KSET_CONST struct kobject *kobj,
			       struct kobj_uevent_env *env)
{
	const struct nmr_registration *reg = to_registration(kobj);
	int err;

	err = add_uevent_var(env, "DEVTYPE=%s", nmr_side_name(reg->side));
	if (!err)
		err = uevent_add(env, reg->npi->variable);
	if (!err)
		err = add_uevent_var(env, "NMR_MODULE=%s", reg->modname);
	if (!err && reg->side == NMR_CLIENT && READ_ONCE(nmr_autoload))
		err = add_uevent_var(env, "MODALIAS=" NMR_MODALIAS, reg->npi->name);
	return err;
}

static const struct kset_uevent_ops registration_uevent_ops = {
	.name	= uevent_name,
	.uevent	= registration_uevent,
};

static int binding_uevent(NMR_KSET_PARAMETER NMR_KSET_CONST struct kobject *kobj,
			  struct kobj_uevent_env *env)
{
	const struct nmr_binding *b = to_binding(kobj);
	int err;

	err = uevent_add(env, "DEVTYPE=binding");
	if (!err)
		err = uevent_add(env, b->reg[NMR_CLIENT]->npi->variable);
	if (!err)
		err = uevent_add(env, b->reg[NMR_CLIENT]->variable);
	if (!err)
		err = uevent_add(env, b->reg[NMR_PROVIDER]->variable);
	return err;
}

static const struct kset_uevent_ops binding_uevent_ops = {
	.name	= uevent_name,
	.uevent	= binding_uevent,
};

/* The directories */

static struct kset *nmr_kset(const char *name, const struct kset_uevent_ops *ops)
{
	return kset_create_and_add(name, ops, nmr_root);
}

void nmr_sysfs_exit(void)
{
	kset_unregister(nmr_binding_set);
	kset_unregister(nmr_sides[NMR_PROVIDER]);
	kset_unregister(nmr_sides[NMR_CLIENT]);
	kobject_del(nmr_root);
	kobject_put(nmr_root);
}

int __init nmr_sysfs_init(void)
{
	nmr_root = kobject_create_and_add("nmr", kernel_kobj);
	if (!nmr_root)
		return -ENOMEM;
	nmr_sides[NMR_CLIENT] = nmr_kset("clients", &registration_uevent_ops);
	nmr_sides[NMR_PROVIDER] = nmr_kset("providers", &registration_uevent_ops);
	nmr_binding_set = nmr_kset("bindings", &binding_uevent_ops);
	if (nmr_sides[NMR_CLIENT] && nmr_sides[NMR_PROVIDER] && nmr_binding_set)
		return 0;
	nmr_sysfs_exit();
	return -ENOMEM;
}
