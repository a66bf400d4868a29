/* Everything that is not a worker: the provider, the network, time, the database server. */

/* One attempt's request and reply on their way, and its deadline. */
#define answer(value) if :: owner(a) > 0 -> rep[a] = value :: else fi

inline provide() {
    x = req[a] - 1; req[a] = 0;
    if
    :: revoked -> answer(INVALID)
    :: !revoked && (x == cur || x == ACCESS) ->
        printf("provider rotates: token %d is now valid\n", cur + 1);
        cur++;
#ifdef GRACE
        window = 1;
#endif
        if
        :: owner(a) > 0 -> rep[a] = OK + cur
        :: else -> excused = 1          /* nobody is left to hear it */
        fi
#ifdef GRACE
    :: !revoked && x + 1 == cur && window ->
        printf("provider answers the replay of token %d\n", x);
        answer(OK + cur)
    :: !revoked && x != cur && x != ACCESS && !(x + 1 == cur && window) -> answer(INVALID)
#else
    :: !revoked && x != cur && x != ACCESS ->
#ifdef REVOKE
        printf("provider sees token %d again and kills the family\n", x);
        revoked = 1;
#else
        printf("provider refuses token %d\n", x);
#endif
        answer(INVALID)
#endif
    fi;
    x = 0
}

proctype Wire(byte a) {
end:
    do
    :: d_step { req[a] > 0 -> provide(); check() }
    :: d_step { req[a] > 0 && owner(a) > 0 && budget -> faults++; req[a] = 0; rep[a] = REFUSED; check() }
    :: d_step { req[a] > 0 && budget ->
        printf("request of attempt %d lost\n", a);
        faults++; req[a] = 0; check() }
    :: d_step { rep[a] > 0 && budget ->
        printf("reply to attempt %d lost\n", a);
        faults++;
        if :: rep[a] == OK + cur -> excused = 1 :: else fi;
        rep[a] = NONE; check() }
    /* Free for an attempt that was given up or died; a fault for a worker that still stands in it. */
    :: d_step { !expired[a] && req[a] == 0 && after[a] == 0 && referenced(a) && (owner(a) == 0 || budget) ->
        printf("deadline of attempt %d passes\n", a);
        if :: owner(a) > 0 -> faults++ :: else fi;
        expired[a] = 1; check() }
    od
}

#define done(a) (expired[a] || (owner(a) == 0 && req[a] == 0))

proctype Server() {
end:
    do
    :: d_step { lock == ORPHAN ->
        printf("orphaned COMMIT becomes visible\n");
        copy(pend, row); clear(pend); lock = FREE; check() }
#ifdef FAILOVER
    /* The standby follows at its own pace, by whole commits. */
    :: d_step { lock != ORPHAN && differs(row, sb) -> copy(row, sb); check() }
    :: d_step { lock == ORPHAN && differs(pend, sb) -> copy(pend, sb); check() }
    :: d_step { budget && (differs(row, sb) || lock != FREE) ->
        printf("failover: generation %d -> %d, intent of attempt %d -> %d\n", row.gen, sb.gen, row.att, sb.att);
        faults++; copy(sb, row); clear(pend);
        if :: lock == 1 || lock == 2 -> cut[lock] = 1 :: else fi;
#ifdef HOLD
        hold = 1;
#endif
        lock = FREE; check() }
#ifdef SHORT_HOLD
    :: d_step { hold -> hold = 0; check() }
#else
    :: d_step { hold && done(1) && done(2) && done(3) && done(4) && done(5) && done(6) -> hold = 0; check() }
#endif
#endif
#if defined(GRACE) && !defined(GRACE_HELD)
    :: d_step { window -> window = 0; check() }
#endif
    od
}

/* When nothing can move any more: everything is settled, and a verdict stands only for a real loss. */
proctype Judge() {
    atomic { timeout ->
        assert(pc[1] == IDLE && pc[2] == IDLE && lock == FREE);             /* END */
        reachable();
        assert(row.needs || (row.gen == GOAL && (held || excused)));   /* END */
        assert(!row.needs || (!held && excused));                           /* END */
#ifdef NOBODY_NEEDED
        assert(!row.needs)                                                  /* END */
#endif
    }
}

init {
    atomic {
        run Worker(1); run Worker(2);
        run Wire(1); run Wire(2); run Wire(3); run Wire(4); run Wire(5); run Wire(6);
        run Server(); run Judge()
    }
}
