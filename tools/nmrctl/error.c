// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages on stderr, the exit codes that belong to them, and the end of the output. A message
 * says what failed, on which object, the name of the errno, and what to do.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "nmrctl.h"

/* The last message, if a screen covers stderr */
static char held[1024];
static bool holding;

static void message(const char *format, va_list ap)
{
	char text[sizeof(held)];

	vsnprintf(text, sizeof(text), format, ap);
	printable(text);
	fflush(stdout);
	if (holding)
		memcpy(held, text, sizeof(held));
	else
		fprintf(stderr, "nmrctl: %s\n", text);
}

/* Keep messages back while there is a screen. Afterwards print the last one. */
void messages_hold(bool hold)
{
	holding = hold;
	if (!hold && *held)
		fprintf(stderr, "nmrctl: %s\n", held);
	*held = '\0';
}

/* Print a message. Return: @status. */
int fail(int status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	message(format, ap);
	va_end(ap);
	return status;
}

void warning(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	message(format, ap);
	va_end(ap);
}

/* Return: the name of an errno, also of those that are the kernel's own. */
const char *error_name(int err)
{
	static char number[24];
	const char *name = strerrorname_np(err);

	if (err == 517)
		return "EPROBE_DEFER";
	if (err == 524)
		return "ENOTSUPP";
	if (name)
		return name;
	snprintf(number, sizeof(number), "error %d", err);
	return number;
}

const char *error_text(int err)
{
	if (err == 517)
		return "deferred";
	return strerrordesc_np(err) ?: "unknown error";
}

static int error_status(int err)
{
	switch (err) {
	case EACCES:
	case EPERM:
		return DENIED;
	case ENOENT:
	case ENODEV:
	case EALREADY:
	case ESHUTDOWN:
	case ETIMEDOUT:
		return NO;
	default:
		return FAILED;
	}
}

/* Print what failed, and @err. Return: the exit code that belongs to @err. */
int fail_errno(int err, const char *advice, const char *format, ...)
{
	char what[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	if (!advice && err == EACCES)
		advice = "run it as root";
	else if (!advice && err == EPERM)
		advice = "it takes CAP_SYS_MODULE outside of containers";
	return fail(error_status(err), "%s: %s (%s)%s%s", what, error_text(err),
		    error_name(err), advice ? "; " : "", advice ?: "");
}

/* Tell whether the reader of a pipe on stdout has gone. */
bool output_closed(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	return poll(&out, 1, 0) == 1 && out.revents & (POLLERR | POLLHUP);
}

/*
 * Write out what is buffered. A pipe without a reader is no error. Return: @status, or that of
 * the failure.
 */
int finish_output(int status)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	if (errno == EPIPE || output_closed())
		return status;
	return fail(FAILED, "writing to stdout: %s (%s)", error_text(errno ?: EIO),
		    error_name(errno ?: EIO));
}
