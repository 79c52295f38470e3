/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counts of a slot, for spin: `make model` runs it through all interleavings.
 *
 * One slot, two bindings of its client one after the other, two CPUs, and two callers, each of
 * which enters the slot twice. A caller may enter on one CPU and exit on the other, and the
 * registrar may come between any two of its steps. What is atomic here is what nmr_lock, one
 * atomic operation or one instruction makes atomic in the module.
 *
 *   here		stands for
 *   count_open, count	the counts of the slot on each CPU
 *   open		nmr_slot_state.open
 *   binding		nmr_slot_state.binding
 *   draining		nmr_gates.draining of each binding
 *   caller		nmr_slot_enter() and nmr_slot_exit()
 *   exit		__nmr_count_exit() and __nmr_slot_exit_closed()
 *   prepare		nmr_slot_prepare() and nmr_gates_add_slot()
 *   registrar		nmr_slot_fill(), nmr_slot_empty(), nmr_gates_take_batch(),
 *			nmr_gate_fold() and nmr_slot_forget()
 *
 * binding.pml has what is the same for gates without a slot: the grace period, and calls that
 * enter the binding. Each BREAK_ is a fault that the module has not; spin finds a trace for
 * each of them.
 */

#define NONE		2
#define BIAS		50

bool count_open[2] = true;
short count[2];			/* calls that an open count has counted */
bool open;
byte binding = NONE;
short draining[2] = BIAS;
bool drained[2];

/* What must hold */
bool attached[2];		/* the slot has been filled */
bool closed_for_good[2];	/* the function that closes has returned */
bool cleaned[2];
byte calls[2];			/* inside of the callee */

inline some_cpu(cpu)
{
	if
	:: cpu = 0
	:: cpu = 1
	fi
}

/* Exit on any CPU. */
inline exit()
{
	some_cpu(cpu);
	d_step {
		if
		:: count_open[cpu] -> count[cpu]--; closed = false
		:: else -> closed = true
		fi
	}
	if
	:: closed ->
		b = binding;
		assert(b != NONE);
		d_step {
			assert(!cleaned[b]);
			draining[b]--;
			if
			:: draining[b] == 0 -> drained[b] = true
			:: else
			fi
		}
	:: else
	fi
}

inline count_enter()
{
	some_cpu(cpu);
	d_step {
		if
		:: count_open[cpu] -> count[cpu]++; in = true
		:: else -> in = false
		fi
	}
}

inline call()
{
	b = binding;
	assert(b != NONE);
	own = b;
	calls[own]++;
	assert(attached[own] && !cleaned[own]);
	assert(!seen[own]);
	calls[own]--;
#ifdef BREAK_EXIT_OF_ANOTHER
	count_open[cpu] -> count[cpu]--
#else
	exit()
#endif
}

active [2] proctype caller()
{
	byte cpu, b, own, n;
	bool in, closed;
	bool seen[2];		/* the binding had closed before the caller began */

	do
	:: n == 2 -> break
	:: else ->
		n++;
		d_step {
			seen[0] = closed_for_good[0];
			seen[1] = closed_for_good[1]
		}
#ifdef BREAK_LOOK_FIRST
		in = open;
		if
		:: in -> count_enter()
		:: else
		fi;
		if
		:: in -> call()
		:: else
		fi
#else
		count_enter();
		if
		:: in && open -> call()
#ifdef BREAK_BACK_OUT
		:: in && !open
#else
		:: in && !open -> exit()	/* __nmr_slot_back_out() */
#endif
		:: !in
		fi
#endif
	od
}

/* nmr_count_open_here(): on that CPU, one step. */
inline open_count(cpu)
{
	d_step {
#ifndef BREAK_OPEN_AGAIN
		if
		:: !count_open[cpu] -> count_open[cpu] = true; count[cpu] = 0
		:: else
		fi
#else
		count_open[cpu] = true;
		count[cpu] = 0
#endif
	}
}

inline prepare(this)
{
#ifdef BREAK_BINDING_LATE
	open_count(0);
	open_count(1);
	binding = this
#else
	binding = this;
	open_count(0);
	open_count(1)
#endif
}

/* nmr_take_here(): on that CPU, one step. */
inline take(this, cpu)
{
	d_step {
		if
		:: count_open[cpu] -> draining[this] = draining[this] + count[cpu]
		:: else
		fi;
		count_open[cpu] = false;
		count[cpu] = 0
	}
}

inline fold(this)
{
	d_step {
		draining[this] = draining[this] - BIAS;
		left = draining[this]
	}
	assert(left >= 0);
	if
	:: left == 0 -> drained[this] = true
	:: else
	fi
}

inline forget(this)
{
	d_step {
		if
		:: binding == this -> binding = NONE
		:: else
		fi
	}
}

active proctype registrar()
{
	byte n;
	short left;

	do
	:: n == 2 -> break
	:: else ->
		prepare(n);
		if
		:: d_step { attached[n] = true; open = true }	/* it closes at any time */
		:: skip			/* it closes before it has attached */
		fi;
#ifndef BREAK_EMPTY_LATE
		open = false;
#endif
		closed_for_good[n] = true;
		take(n, 0);
		take(n, 1);
#ifdef BREAK_EMPTY_LATE
		open = false;
#endif
#ifdef BREAK_FORGET_EARLY
		forget(n);
#endif
		fold(n);
#ifndef BREAK_REUSE
		drained[n];
		assert(calls[n] == 0);
		cleaned[n] = true;
		forget(n);
#endif
		n++
	od
}
