/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of sysfs and debugfs, read and written through mounts of the kernel's own. */
#ifndef _NMR_KUNIT_FILES_H
#define _NMR_KUNIT_FILES_H

#include <linux/fs.h>

#include "harness.h"

#define NT_NAME_SIZE	64
#define NT_VALUE_SIZE	64

/* Mount and unmount the file systems: .suite_init and .suite_exit of a suite. */
int nt_mount_files(struct kunit_suite *suite);
void nt_unmount_files(struct kunit_suite *suite);

/* Make a path below the root of sysfs. An empty name stands for the directory. */
void nt_party_path(struct nt_party *party, const char *name, char path[NT_NAME_SIZE]);
void nt_binding_path(struct nt_binding *nb, const char *name, char path[NT_NAME_SIZE]);

/* Open, read or write a file of sysfs. nt_read() removes the newline. */
struct file *nt_open_file(const char *path, int flags);
void nt_read(const char *path, char value[NT_VALUE_SIZE]);
ssize_t nt_write(const char *path, const char *value);

/* Open, read from @pos on, or read completely a file of debugfs with lines of text. */
struct file *nt_open_lines(const char *path);
ssize_t nt_read_some(struct file *file, char *text, size_t size, loff_t pos);
ssize_t nt_read_lines(const char *path, char *text, size_t size);

#endif /* _NMR_KUNIT_FILES_H */
