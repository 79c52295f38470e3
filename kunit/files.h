/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of sysfs and debugfs, read and written through mounts that only the kernel sees. */
#ifndef _NMR_KUNIT_FILES_H
#define _NMR_KUNIT_FILES_H

#include <linux/fs.h>

#include "harness.h"

#define NT_NAME_SIZE	64
#define NT_VALUE_SIZE	64

/* .suite_init and .suite_exit of suites that use what follows. */
int nt_mount_files(struct kunit_suite *suite);
void nt_unmount_files(struct kunit_suite *suite);

/* Paths below the root of sysfs. An empty name is the directory. */
void nt_party_path(struct nt_party *party, const char *name, char path[NT_NAME_SIZE]);
void nt_binding_path(struct nt_binding *nb, const char *name, char path[NT_NAME_SIZE]);

/* A file of sysfs: opened, read, written. What it says comes without its newline. */
struct file *nt_open_file(const char *path, int flags);
void nt_read(const char *path, char value[NT_VALUE_SIZE]);
ssize_t nt_write(const char *path, const char *value);

/* A file of debugfs that is a sequence of lines: opened, read from @pos on, all of it. */
struct file *nt_open_lines(const char *path);
ssize_t nt_read_some(struct file *file, char *text, size_t size, loff_t pos);
ssize_t nt_read_lines(const char *path, char *text, size_t size);

#endif /* _NMR_KUNIT_FILES_H */
