// SPDX-License-Identifier: GPL-2.0-only
/* Files of sysfs and debugfs, see files.h. */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/mount.h>
#include <linux/seq_file.h>
#include <linux/uio.h>

#include "files.h"

static struct vfsmount *nt_sysfs, *nt_debugfs;

static struct vfsmount *nt_mount(const char *name)
{
	struct file_system_type *type = get_fs_type(name);

	return type ? kern_mount(type) : ERR_PTR(-ENODEV);
}

int nt_mount_files(struct kunit_suite *suite)
{
	nt_sysfs = nt_mount("sysfs");
	nt_debugfs = nt_mount("debugfs");
	return PTR_ERR_OR_ZERO(nt_sysfs);
}

void nt_unmount_files(struct kunit_suite *suite)
{
	if (!IS_ERR_OR_NULL(nt_sysfs))
		kern_unmount(nt_sysfs);
	if (!IS_ERR_OR_NULL(nt_debugfs))
		kern_unmount(nt_debugfs);
}

struct file *nt_open_file(const char *path, int flags)
{
	return file_open_root_mnt(nt_sysfs, path, flags, 0);
}

/* Read a file without its newline. On failure, @value is "(errno)". */
void nt_read(const char *path, char value[NT_VALUE_SIZE])
{
	struct file *file = nt_open_file(path, O_RDONLY);
	ssize_t length = PTR_ERR_OR_ZERO(file);
	loff_t pos = 0;

	if (!length) {
		length = kernel_read(file, value, NT_VALUE_SIZE - 1, &pos);
		fput(file);
	}
	if (length < 0) {
		snprintf(value, NT_VALUE_SIZE, "(%zd)", length);
		return;
	}
	if (length && value[length - 1] == '\n')
		length--;
	value[length] = '\0';
}

ssize_t nt_write(const char *path, const char *value)
{
	struct file *file = nt_open_file(path, O_WRONLY);
	ssize_t ret = PTR_ERR_OR_ZERO(file);
	loff_t pos = 0;

	if (!ret) {
		ret = kernel_write(file, value, strlen(value), &pos);
		fput(file);
	}
	return ret;
}

void nt_party_path(struct nt_party *party, const char *name, char path[NT_NAME_SIZE])
{
	snprintf(path, NT_NAME_SIZE, "kernel/nmr/%s/%llu/%s",
		 party->side == NMR_CLIENT ? "clients" : "providers",
		 party->client.id, name);
}

void nt_binding_path(struct nt_binding *nb, const char *name, char path[NT_NAME_SIZE])
{
	snprintf(path, NT_NAME_SIZE, "kernel/nmr/bindings/%llu/%s", nb->id, name);
}

struct file *nt_open_lines(const char *path)
{
	if (IS_ERR(nt_debugfs))
		return ERR_CAST(nt_debugfs);
	return file_open_root_mnt(nt_debugfs, path, O_RDONLY, 0);
}

/* Read a sequence file of debugfs, which kernel_read() rejects without a read_iter. */
ssize_t nt_read_some(struct file *file, char *text, size_t size, loff_t pos)
{
	struct kvec kvec = { .iov_base = text, .iov_len = size };
	struct iov_iter iter;
	struct kiocb kiocb;

	init_sync_kiocb(&kiocb, file);
	kiocb.ki_pos = pos;
	iov_iter_kvec(&iter, READ, &kvec, 1, size);
	return seq_read_iter(&kiocb, &iter);
}

/* Read a whole file, at most @size - 1 bytes. Return: length of the text, or an errno. */
ssize_t nt_read_lines(const char *path, char *text, size_t size)
{
	struct file *file = nt_open_lines(path);
	ssize_t length;
	loff_t pos = 0;

	if (IS_ERR(file))
		return PTR_ERR(file);
	do {
		length = nt_read_some(file, text + pos, size - 1 - pos, pos);
		if (length > 0)
			pos += length;
	} while (length > 0);
	fput(file);
	text[pos] = '\0';
	return length ?: pos;
}
