/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a binding, for spin: `make model` runs it through all interleavings.
 *
 * One client, one provider, one binding of the two, one call, and the two sides leaving
 * (or one of them, and detach by an administrator), in any order. What is atomic here is
 * what nmr_lock, one atomic operation or one instruction makes atomic in module/.
 *
 *   here		stands for
 *   register		nmr_binding_attach(), nmr_client_attach_provider(),
 *			nmr_binding_provider_attached(), nmr_binding_client_attached(),
 *			nmr_binding_conclude()
 *   close		nmr_binding_close()
 *   leave		nmr_leave(), and the wait that follows
 *   grace_period	call_rcu() in nmr_bindings_detach(), and nmr_bindings_quiesced()
 *   closed_worker	nmr_bindings_closed(): nmr_gates_take(), nmr_gate_fold(),
 *			nmr_binding_detach()
 *   completer		nmr_detach_complete(), of a client whose detach is pending
 *   part_done		nmr_binding_part_done()
 *   cleaner		nmr_binding_cleanup(), nmr_binding_finish()
 *   caller		nmr_client_call_enter() and nmr_client_call_exit(), on a CPU whose
 *			count is taken at any time after the gate has closed
 *   rcu_caller		nmr_client_may_call_rcu()
 *
 * Each BREAK_ is a fault that the module has not; spin finds a trace for each of them,
 * which shows that what is asserted can fail.
 */

/* Sides */
#define CLIENT		0
#define PROVIDER	1

/* nmr_detach_state */
mtype = { none, called, completed, pending, done };

/* The binding */
bool attaching = true;
bool closed;
bool has_attached[2];
bool gate_open;			/* the pointer leads to the binding's counts */
bool gate_was_open;
bool count_open[2] = true;	/* of each of two CPUs: not exchanged yet */
short count[2];
short draining = 100;		/* the bias of NMR_GATE_BIAS */
byte todo = 4;			/* one gate, two sides, the worker */
mtype detach[2] = none;
bool grace_started, quiesced, cleanup_queued, finished;

/* The sides */
bool leaving[2];
byte busy[2] = 2;		/* itself, and the binding */
byte cleaned[2];

/* What must hold */
bool attach_running, detach_running, client_attached_called;
byte calls;			/* inside of the callee */
byte readers;			/* inside of the callee, uncounted */
bool reader_section;		/* an RCU reader that may have seen the gate open */

#define UNWANTED	(leaving[CLIENT] || leaving[PROVIDER])

/* Under nmr_lock. */
inline close()
{
	if
	:: !closed ->
		closed = true;
		gate_open = false;
#ifdef BREAK_ATTACHING
		assert(!grace_started);
		grace_started = true
#else
		if
		:: !attaching -> assert(!grace_started); grace_started = true
		:: else
		fi
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
		closed = true;
		finished = true;
		busy[CLIENT]--;
		busy[PROVIDER]--
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
		:: !closed && !UNWANTED -> gate_open = true; gate_was_open = true
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
			:: !closed && !UNWANTED -> client_attached_called = true
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
		attaching = false;
#ifndef BREAK_ATTACHING
#ifndef BREAK_LATE_ATTACH
		if
		:: closed -> assert(!grace_started); grace_started = true
		:: else
		fi
#endif
#endif
	}
	goto out;
refused:				/* attaching stays: nobody starts a detach */
	finish();
out:	skip
}

/* A side that leaves: deregister, then wait. */
proctype leave(byte side)
{
	atomic {
		leaving[side] = true;
		if
		:: !finished -> close()
		:: else
		fi;
		busy[side]--
	}
	busy[side] == 0;		/* wait returns 0 */
	assert(!attach_running);
	assert(!detach_running);
	assert(calls == 0);
	assert(readers == 0);
	assert(!has_attached[side] || cleaned[side] == 1)
}

/* An administrator, who may come at any time, or never. */
active proctype administrator()
{
	if
	:: atomic { !finished -> close() }
	:: skip
	fi
}

active proctype grace_period()
{
end:	grace_started;
#ifndef BREAK_GRACE_PERIOD
	!reader_section;		/* those that began before are over */
#endif
	quiesced = true
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

active proctype closed_worker()
{
	short left;

	if
	:: client_pends = true
	:: client_pends = false
	fi;
end:	quiesced;
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

/* Whoever completes a pending detach, perhaps before its callback has returned. */
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

/* A call of the client, that may enter on one CPU and exit on the other. */
proctype caller()
{
	bool own;			/* the pointer that was loaded leads to own counts */
	byte cpu;
	bool in = false;

	if
	:: cpu = 0
	:: cpu = 1
	fi;
	gate_was_open || finished;
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
		own = gate_open;
#ifdef BREAK_EXIT
		/* Not one step: what the count is, is known before it is counted. */
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
