proctype Worker(byte me) {
end:
    do
    /* Replay of a spooled reply, by anyone, by compare-and-set on the generation. */
    :: d_step { pc[me] == IDLE && lock == FREE && replayable ->
        printf("worker %d replays the spool: generation %d -> %d\n", me, row.gen, row.gen + 1);
        save(row, row.gen, spool[row.gen]); check() }

    /* Steps 0 and 1. An answer that does not come means: do not send. */
    :: d_step { pc[me] == IDLE && lock == FREE && mayPresent ->
        printf("worker %d commits an intent for generation %d\n", me, row.gen);
        intend(row, 0); replicated(); check() }
    :: d_step { pc[me] == IDLE && lock == FREE && mayPresent && budget ->
        printf("worker %d: COMMIT of the intent orphaned\n", me);
        faults++; intend(pend, 0); lock = ORPHAN; rest(); check() }

    /* Recovery ladder: the deadline is over, no spool has the answer. Present once more, declared:
       a replay where a grace window is known, the late probe elsewhere. */
    :: d_step { pc[me] == IDLE && lock == FREE && mayProbe ->
        printf("worker %d takes over for a declared probe of generation %d\n", me, row.gen);
        intend(row, 1); replicated(); check() }
#ifdef VERDICT_UNHEARD
    :: d_step { pc[me] == IDLE && lock == FREE && exhausted ->
        printf("worker %d: needs_authorization\n", me);
        verdict(); check() }
#endif

    /* Step 2, and the reservation that names the attempt in the spool. */
    :: d_step { pc[me] == INTENT && lock == FREE ->
        if
#ifdef NO_INTENT
        :: still && unspooled ->
#else
        :: mine && unspooled && !expired[my[me]] ->
#endif
#ifndef NO_TXB_LOCK
            lock = me;
#endif
#if !defined(NO_RESERVATION) && !defined(NO_INTENT)
            resv[row.gen] = my[me];
#endif
#ifdef ACCESS_TOKEN
            n[me] = r[me] * ACCESS + (1 - r[me]) * row.tok;
#else
            n[me] = row.tok;
#endif
            pc[me] = READY
        :: else -> pc[me] = UNSENT
        fi; check() }

    /* Step 3. */
#ifdef NO_CLOCK_CHECK
    :: d_step { pc[me] == READY ->
#else
    :: d_step { pc[me] == READY && !expired[my[me]] ->
#endif
        req[my[me]] = 1 + n[me];
        if
        :: r[me] == 0 ->
            printf("worker %d presents token %d\n", me, n[me]);
            sent[n[me]]++; assert(sent[n[me]] == 1)                       /* I1 */
        :: else ->
            printf("worker %d probes, declared, with token %d\n", me, n[me])
        fi;
        pc[me] = WAITING; check() }
    :: d_step { pc[me] == READY && expired[my[me]] -> pc[me] = UNSENT; check() }
    :: d_step { pc[me] == READY && budget ->
        printf("worker %d could not connect\n", me);
        faults++; pc[me] = UNSENT; check() }

    /* The intent goes back, unless it stands for an earlier attempt whose outcome is unknown. */
    :: d_step { pc[me] == UNSENT && (lock == FREE || lock == me) ->
        printf("worker %d gives its intent back\n", me);
        if
        :: row.gen == g[me] && row.att == my[me] ->
#ifndef CLEAR_PROBE
            if
            :: r[me] > 0 -> row.probe = 0
            :: else ->
                row.att = 0;
                if :: resv[g[me]] == my[me] -> resv[g[me]] = 0 :: else fi
            fi
#else
            row.att = 0; row.probe = 0; resv[g[me]] = 0
#endif
        :: row.gen == g[me] && row.att != my[me] && r[me] == 0 && resv[g[me]] == my[me] -> resv[g[me]] = 0
        :: else
        fi;
        unlock(); rest(); check() }

    /* Answers. */
    :: d_step { pc[me] == WAITING && rep[my[me]] >= OK ->
        n[me] = rep[my[me]] - OK; rep[my[me]] = NONE; pc[me] = RECEIVED; check() }
    :: d_step { pc[me] == WAITING && rep[my[me]] == INVALID -> rep[my[me]] = NONE; n[me] = 0; pc[me] = DEAD; check() }
    :: d_step { pc[me] == WAITING && rep[my[me]] == REFUSED ->
        printf("worker %d was told to come back later\n", me);
        rep[my[me]] = NONE; pc[me] = UNSENT;
        if :: r[me] == 0 -> sent[n[me]]-- :: else fi; check() }

    /* Nothing will come, or the client stopped waiting: ambiguous. The intent stays. */
#ifdef RETRY_ON_AMBIGUITY
    :: d_step { pc[me] == WAITING && rep[my[me]] == NONE && req[my[me]] == 0 ->
        printf("worker %d has no answer and retries\n", me);
        pc[me] = READY; check() }
#endif
    :: d_step { pc[me] == WAITING && rep[my[me]] == NONE && (req[my[me]] == 0 || budget) ->
        printf("worker %d has no answer: ambiguous\n", me);
        if :: req[my[me]] > 0 -> faults++ :: else fi;
#ifdef CLEAR_ON_AMBIGUITY
        if
        :: row.gen == g[me] && row.att == my[me] && lock == me -> row.att = 0; resv[g[me]] = 0
        :: else
        fi;
#endif
        unlock(); rest(); check() }

    /* Step 4: bytes first. */
#ifdef PARSE_BEFORE_SPOOL
    :: d_step { pc[me] == RECEIVED -> pc[me] = PARSED; check() }
    :: d_step { pc[me] == RECEIVED && budget ->
        printf("worker %d cannot parse the reply and drops it\n", me);
        faults++; unlock(); rest(); check() }
    :: d_step { pc[me] == PARSED ->
#else
    :: d_step { pc[me] == RECEIVED ->
#endif
        printf("worker %d spools token %d\n", me, n[me]);
        if :: n[me] > spool[g[me]] -> spool[g[me]] = n[me] :: else fi;
        resv[g[me]] = 0; pc[me] = SPOOLED; check() }
#ifdef DISK_FULL
    :: d_step { pc[me] == RECEIVED && budget ->
        printf("worker %d cannot write the spool and goes on\n", me);
        faults++; pc[me] = SPOOLED; check() }
#else
    /* Step 5: a reply that this build cannot read stays in the spool for one that can. */
    :: d_step { pc[me] == SPOOLED && budget ->
        printf("worker %d cannot parse the reply\n", me);
        faults++; unlock(); rest(); check() }
#endif

    /* Step 6, in the transaction that holds the lock; if that did not end well, again until it is
       settled. By then a takeover may have spooled a newer reply: the newest one counts. */
    :: d_step { saving -> newest();
        printf("worker %d saves token %d as generation %d\n", me, n[me], g[me] + 1);
        save(row, g[me], n[me]); unlock(); rest(); check() }
    :: d_step { saving && budget -> newest();
        printf("worker %d saves token %d as generation %d, answer to COMMIT lost\n", me, n[me], g[me] + 1);
        faults++; save(row, g[me], n[me]); unlock(); cut[me] = 1; pc[me] = RESAVE; check() }
    :: d_step { saving && budget -> newest();
        printf("worker %d: COMMIT of the new token orphaned\n", me);
        faults++; save(pend, g[me], n[me]); lock = ORPHAN; cut[me] = 1; pc[me] = RESAVE; check() }
    :: d_step { pc[me] == SPOOLED && !(lock == me && mine) -> unlock(); pc[me] = RESAVE; check() }
    :: d_step { pc[me] == RESAVE && lock == FREE && !still ->
        printf("worker %d finds generation %d settled\n", me, g[me]);
        rest(); check() }

    /* invalid_grant: re-read under the lock and look in the spools before believing it. */
    :: d_step { pc[me] == DEAD && (lock == FREE || lock == me) ->
        printf("worker %d was told invalid_grant for generation %d\n", me, g[me]);
        if
#ifdef NO_SECOND_LOOK
        :: mine && r[me] == 1 ->
#else
        :: mine && !replayable && r[me] == 1 ->
#endif
            printf("worker %d: needs_authorization\n", me); verdict()
        :: else
        fi;
        unlock(); rest(); check() }

    /* Death. Memory, session and lock go; disk, row and what is under way stay. */
    :: d_step { pc[me] != IDLE && budget ->
        printf("worker %d dies\n", me);
        faults++;
        if
        :: pc[me] == RECEIVED && n[me] == cur || pc[me] == WAITING && rep[my[me]] == OK + cur -> excused = 1
#ifdef DISK_FULL
        :: (pc[me] == SPOOLED || pc[me] == RESAVE) && spool[g[me]] == 0 && n[me] == cur -> excused = 1
#endif
        :: else
        fi;
        rep[my[me]] = NONE; unlock(); rest(); check() }

    /* Session killed: the lock is gone and the worker does not know. */
    :: d_step { lock == me && budget ->
        printf("worker %d loses its session\n", me);
        faults++; lock = FREE; cut[me] = 1; check() }
    od
}
