// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Uevents of nmr, as the kernel sends them; no udevd has to run. The caller opens the socket
 * before it reads sysfs, so that no event falls between.
 */
#include <errno.h>
#include <libudev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "nmrctl.h"

/* Room for 100,000 events. The kernel grants less to users other than root. */
#define BUFFER	(128 << 20)

struct events {
	struct udev		*udev;
	struct udev_monitor	*monitor;
};

/* Make the buffer large. libudev's function asks for what needs a capability, and fails. */
static void enlarge_buffer(int fd)
{
	int size = BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

/* Return: NULL if there are no events here; errno says why. */
struct events *events_open(void)
{
	struct events *events = allocate(sizeof(*events));

	events->udev = udev_new();
	if (events->udev)
		events->monitor = udev_monitor_new_from_netlink(events->udev, "kernel");
	if (events->monitor) {
		udev_monitor_filter_add_match_subsystem_devtype(events->monitor, "nmr", NULL);
		enlarge_buffer(udev_monitor_get_fd(events->monitor));
		if (udev_monitor_enable_receiving(events->monitor) >= 0)
			return events;
	}
	events_close(events);
	return NULL;
}

void events_close(struct events *events)
{
	int err = errno;

	if (!events)
		return;
	udev_monitor_unref(events->monitor);
	udev_unref(events->udev);
	free(events);
	errno = err;
}

/* Return: -1 if there are no events. */
int events_fd(const struct events *events)
{
	return events ? udev_monitor_get_fd(events->monitor) : -1;
}

static const char *property(struct udev_device *device, const char *name)
{
	const char *value = udev_device_get_property_value(device, name);
	char text[256];

	if (!value)
		return NULL;
	snprintf(text, sizeof(text), "%s", value);
	printable(text);
	return intern(text);
}

static unsigned long long number(struct udev_device *device, const char *name)
{
	const char *value = udev_device_get_property_value(device, name), *end;
	unsigned long long n;

	return value && id_parse(value, &n, &end) && !*end ? n : 0;
}

static const char *word_of(struct udev_device *device)
{
	const char *action = udev_device_get_action(device) ?: "change";

	if (udev_device_get_property_value(device, "NMR_STUCK"))
		return "stuck";
	if (udev_device_get_property_value(device, "SYNTH_UUID"))
		return "again";
	return intern(action);
}

/* Fill the event. Return: false if it is not on an object of nmr. */
static bool event_fill(struct udev_device *device, struct event *event)
{
	const char *type = udev_device_get_devtype(device), *end;
	const char *name = udev_device_get_sysname(device);

	if (!type || !name || !id_parse(name, &event->id, &end) || *end)
		return false;
	if (!strcmp(type, "binding"))
		event->kset = BINDINGS;
	else if (!strcmp(type, "client") || !strcmp(type, "provider"))
		event->kset = !strcmp(type, "client") ? CLIENT : PROVIDER;
	else
		return false;
	event->word = word_of(device);
	event->seq = udev_device_get_seqnum(device);
	event->guid = property(device, "NMR_INTERFACE");
	if (event->kset == BINDINGS) {
		event->party[CLIENT] = number(device, "NMR_CLIENT");
		event->party[PROVIDER] = number(device, "NMR_PROVIDER");
	} else {
		event->party[event->kset] = event->id;
		event->module[event->kset] = property(device, "NMR_MODULE");
	}
	return true;
}

/*
 * Return: 1 - @event is filled; 0 - there is none now; a negative errno, which is -ENOBUFS if
 * events were lost.
 */
int events_next(struct events *events, struct event *event)
{
	struct udev_device *device;
	struct timespec ts;
	bool filled = false;

	while (!filled) {
		errno = 0;
		device = udev_monitor_receive_device(events->monitor);
		if (!device)
			return errno == EAGAIN || errno == EINTR || !errno ? 0 : -errno;
		memset(event, 0, sizeof(*event));
		clock_gettime(CLOCK_REALTIME, &ts);
		event->time = ts.tv_sec + ts.tv_nsec / 1e9;
		filled = event_fill(device, event);
		udev_device_unref(device);
	}
	return 1;
}

/* Forget what has come: the caller reads sysfs afterwards. */
void events_drain(struct events *events)
{
	struct event event;
	int more;

	do {
		more = events ? events_next(events, &event) : 0;
	} while (more == 1 || more == -ENOBUFS);
}
