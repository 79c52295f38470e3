/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a binding, for spin: `make model` runs it through all interleavings.
 *
 * One client, one provider, one binding of the two, one call, and the two sides leaving
 * (or one of them, and detach by an administrator), in any order. What is atomic here is
 * what nmr_lock, one atomic operation or one instruction makes atomic in module/.
 *
 *   here		stands for
 *   state		nmr_binding.state, and advance() for nmr_binding_advance()
 *   register		nmr_binding_attach(), nmr_client_attach_provider(),
 *			nmr_binding_provider_attached(), nmr_binding_client_attached(),
 *			nmr_binding_conclude()
 *   close		nmr_binding_close()
 *   leave		nmr_leave(), and the wait that follows
 *   grace_period	nmr_bindings_start_gp(), and nmr_bindings_gp_done()
 *   collector		nmr_bindings_collect(): nmr_gates_take_batch(),
 *			nmr_binding_fold(), nmr_binding_detach()
 *   completer		nmr_detach_complete(), of a client that returned -EINPROGRESS
 *   part_done		nmr_binding_part_done()
 *   cleaner		nmr_binding_cleanup(), nmr_binding_finish()
 *   pins		nmr_registration.pins
 *   caller		nmr_client_call_enter() and nmr_client_call_exit(), or
 *			scoped_nmr_client_call(), on a CPU that gives up its count at any
 *			time after the gate has closed
 *   rcu_caller		nmr_client_may_call_rcu()
 *
 * Each BREAK_ is a fault that the module has not; spin finds a trace for each of them,
 * which shows that what is asserted can fail.
 */

/* Sides */
#define CLIENT		0
#define PROVIDER	1

/* nmr_binding_state */
#define ATTACHING	0
#define ATTACHED	1
#define CLOSING		2
#define DETACHING	3
#define CLEANING	4
#define FINISHED	5

/* nmr_detach_state */
mtype = { none, called, completed, pending, done };

/* The binding */
byte state = ATTACHING;
bool has_attached[2];
bool gate_open;			/* the pointer leads to the binding's counts */
bool gate_was_open;
bool count_open[2] = true;	/* of each of two CPUs: not exchanged yet */
short count[2];
short draining = 100;		/* the bias of NMR_GATE_BIAS */
byte todo = 4;			/* one gate, two sides, the worker */
mtype detach[2] = none;
bool grace_started, grace_over, cleanup_queued;

/* The sides */
bool leaving[2];
byte pins[2] = 2;		/* its own, and that of the binding */
byte cleaned[2];

/* What must hold */
bool attach_running, detach_running, client_attached_called;
byte calls;			/* inside of the callee */
byte readers;			/* inside of the callee, uncounted */
bool reader_section;		/* an RCU reader that may have seen the gate open */

#define UNWANTED	(leaving[CLIENT] || leaving[PROVIDER])

/* Under nmr_lock */
inline advance(next)
{
	assert(next == ATTACHED && state == ATTACHING ||
	       next == CLOSING && state == ATTACHING ||
	       next == DETACHING && (state == ATTACHED || state == CLOSING) ||
	       next == CLEANING && state == DETACHING ||
	       next == FINISHED && (state == ATTACHING || state == CLOSING ||
				    state == CLEANING));
	state = next
}

inline start_detach()
{
	advance(DETACHING);
	assert(!grace_started);
	grace_started = true
}

inline close()
{
	if
	:: state == ATTACHED -> gate_open = false; start_detach()
	:: state == ATTACHING ->
		gate_open = false;
#ifdef BREAK_ATTACHING
		advance(CLOSING);
		start_detach()
#else
		advance(CLOSING)
#endif
	:: else
	fi
}

inline part_done()
{
	d_step {
		assert(todo > 0);
		todo--;
		if
		:: todo == 0 -> assert(!cleanup_queued); cleanup_queued = true
		:: else
		fi
	}
}

inline finish()
{
	atomic {
		advance(FINISHED);
		pins[CLIENT]--;
		pins[PROVIDER]--
	}
}

/* The task that offers. */
active proctype register()
{
	bool err;

	if
	:: UNWANTED -> goto refused	/* -ECANCELED */
	:: !UNWANTED
	fi;
	attach_running = true;
	assert(!detach_running);
	if
	:: true -> skip			/* the provider attaches */
	:: true -> attach_running = false; goto refused
	fi;
	atomic {			/* nmr_binding_provider_attached() */
		has_attached[PROVIDER] = true;
#ifdef BREAK_MAY_OPEN
		gate_open = true; gate_was_open = true
#else
		if
		:: state == ATTACHING && !UNWANTED -> gate_open = true; gate_was_open = true
		:: else
		fi
#endif
	}
	if
	:: err = false
	:: err = true			/* the client fails */
	fi;
	attach_running = false;
	if
	:: err -> atomic { close() }
	:: else
	fi;
	has_attached[CLIENT] = !err;
	if
	:: !err ->
		atomic {
			if
			:: state == ATTACHING && !UNWANTED -> client_attached_called = true
			:: else
			fi
		}
		if
		:: client_attached_called ->
			attach_running = true;
			assert(!detach_running);
			attach_running = false
		:: else
		fi
	:: else
	fi;
	atomic {			/* nmr_binding_conclude() */
		if
		:: state == ATTACHING -> advance(ATTACHED)
#ifndef BREAK_LATE_ATTACH
		:: state == CLOSING -> start_detach()
#endif
		:: else
		fi
	}
	goto out;
refused:				/* the state stays below DETACHING until here */
	finish();
out:	skip
}

/* A side that leaves: deregister, then wait. */
proctype leave(byte side)
{
	atomic {
		leaving[side] = true;
		if
		:: state != FINISHED -> close()
		:: else
		fi;
		pins[side]--
	}
	pins[side] == 0;		/* wait returns 0 */
	assert(!attach_running);
	assert(!detach_running);
	assert(calls == 0);
	assert(readers == 0);
	assert(!has_attached[side] || cleaned[side] == 1)
}

/* An administrator detaches the binding at any time, or never. */
active proctype administrator()
{
	if
	:: atomic { state != FINISHED -> close() }
	:: skip
	fi
}

active proctype grace_period()
{
end:	grace_started;
#ifndef BREAK_GRACE_PERIOD
	!reader_section;		/* those that began before are over */
#endif
	grace_over = true
}

/* nmr_take_here(): on that CPU, one step. */
inline take(cpu)
{
	d_step {
		count_open[cpu] = false;
		draining = draining + count[cpu];
		count[cpu] = 0
	}
}

inline detach_side(side, may_pend)
{
	if
	:: has_attached[side] ->
		detach[side] = called;
		detach_running = true;
		assert(!attach_running);
		assert(readers == 0);
		detach_running = false;
		if
		:: may_pend ->
			if
			:: atomic { detach[side] == called -> detach[side] = pending }
			:: atomic { detach[side] == completed -> detach[side] = done }
				part_done()
			fi
		:: !may_pend || !may_pend ->
			detach[side] = done;
			part_done()
		fi
	:: else ->
		detach[side] = done;
		part_done()
	fi
}

bool client_pends;

active proctype collector()
{
	short left;

	if
	:: client_pends = true
	:: client_pends = false
	fi;
end:	grace_over;
	take(0);
	take(1);
	d_step { draining = draining - 100; left = draining }
	assert(left >= 0);
	if
	:: left == 0 -> part_done()
	:: else
	fi;
	detach_side(CLIENT, client_pends);
	detach_side(PROVIDER, false);
	part_done()
}

/* A task completes a pending detach, perhaps before its callback has returned. */
active proctype completer()
{
end:	(has_attached[CLIENT] && client_pends && (detach[CLIENT] == called || detach[CLIENT] == pending));
#ifdef BREAK_COMPLETE
	/* The state is looked at and written in two steps. */
	if
	:: detach[CLIENT] == called -> detach[CLIENT] = completed
	:: detach[CLIENT] == pending -> detach[CLIENT] = done; part_done()
	:: else
	fi
#else
	if
	:: atomic { detach[CLIENT] == called -> detach[CLIENT] = completed }
	:: atomic { detach[CLIENT] == pending -> detach[CLIENT] = done }
		part_done()
	fi
#endif
}

active proctype cleaner()
{
end:	cleanup_queued;
	assert(calls == 0);
	assert(!detach_running && !attach_running);
	atomic { advance(CLEANING) };
	if
	:: has_attached[CLIENT] -> cleaned[CLIENT]++
	:: else
	fi;
	if
	:: has_attached[PROVIDER] -> cleaned[PROVIDER]++
	:: else
	fi;
	assert(cleaned[CLIENT] <= 1 && cleaned[PROVIDER] <= 1);
	finish()
}

/* A call of the client, which may enter on one CPU and exit on the other. */
proctype caller()
{
	bool own;			/* the pointer that was loaded leads to own counts */
	byte cpu;
	bool in = false;

	if
	:: cpu = 0
	:: cpu = 1
	fi;
	gate_was_open || state == FINISHED;
	own = gate_open;		/* load the pointer; then preempted, for any time */
	d_step {
		if
		:: own && count_open[cpu] -> count[cpu]++; in = true
		:: else			/* below zero: refused */
		fi
	}
	if
	:: in ->
		calls++;
		assert(cleaned[PROVIDER] == 0);
		if
		:: cpu = 0
		:: cpu = 1
		fi;
		calls--;
		if
		:: own = gate_open	/* load the pointer again */
		:: skip			/* a scoped call keeps it */
		fi;
#ifdef BREAK_EXIT
		/* Two steps: the sign is tested before the count is changed. */
		in = count_open[cpu];
		if
		:: own && in -> count[cpu]--
#else
		if
		:: atomic { own && count_open[cpu] -> count[cpu]-- }
#endif
		:: else ->
			d_step {
				draining--;
				if
				:: draining == 0 -> in = true
				:: else -> in = false
				fi
			}
			if
			:: in -> part_done()
			:: else
			fi
		fi
	:: else
	fi
}

/* An RCU reader that calls without being counted. */
active proctype rcu_caller()
{
	reader_section = true;
	if
	:: gate_open ->
		readers++;
		assert(cleaned[PROVIDER] == 0);
		readers--
	:: else
	fi;
	reader_section = false
}

init
{
	run leave(CLIENT);
	run leave(PROVIDER);
	run caller();
	run caller()
}
