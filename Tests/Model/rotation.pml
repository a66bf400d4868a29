/*
 * The rotation protocol of the token vault: two workers, one credential, every interleaving.
 * Tests/Model/check runs every variant; README.md here maps the model to the steps 0-7.
 *
 * Time is not counted: a deadline is a bit that may be set at any moment, so every timing is covered.
 * Assumed are only: a request is processed or gone when its deadline passes (the deadline includes the
 * provider's own limit); deadlines pass in the order in which attempts began; a worker looks at the
 * clock in the instant in which it writes the request.
 *
 * A transaction that does not wait for the network is one step: the row lock keeps everyone else out,
 * and dying inside it leaves what dying before it leaves. What a COMMIT does to its caller is a choice:
 * answered, answer lost, rolled back (the session dies before it), orphaned. An intent whose COMMIT was
 * not answered is not acted on, which is the same as dying behind it.
 *
 * Two workers: the protocol never looks at who holds what beyond "me" and "not me". One credential:
 * tenants share no row, token or spool slot; budget and breaker only delay. Ciphertext, scheduling and
 * access tokens of the API decide nothing here and are left out.
 *
 * Faults come out of one budget of FAULTS, in any mix, at any step.
 * Provider: strict; REVOKE (reuse kills the family); GRACE (the last token may be replayed until the
 * window closes, at any moment; GRACE_HELD: not before we are done); ACCESS_TOKEN (the access token may
 * be exchanged for a new pair). The other switches break something on purpose: see README.md.
 */
#ifndef FAULTS
#define FAULTS 2
#endif
#define GOAL 2       /* rotations: two are needed to see a late writer overwrite a newer token */
#define NATT 6       /* attempt ids in use at the same time; fresh() asserts that it is enough */

#define FREE 0       /* holders of the row lock: FREE, a worker (1, 2), or */
#define ORPHAN 3     /* a COMMIT whose client has gone; decided, not yet visible */

/* Where a worker stands. */
#define IDLE    0    /* no attempt of its own */
#define INTENT  1    /* step 1 done: intent committed, lock not yet taken again */
#define READY   2    /* step 2 done: lock held, reservation on disk, not sent */
#define WAITING 3    /* step 3: request out */
#define RECEIVED 4   /* bytes in memory, step 4 is next */
#define SPOOLED 5    /* steps 5 and 6 are next */
#define RESAVE  6    /* step 6 was not confirmed */
#define UNSENT  7    /* certainly not presented: give the intent back */
#define DEAD    8    /* provider said invalid_grant */
#define PARSED  9    /* only in PARSE_BEFORE_SPOOL */

/* What is presented: a token's number, or */
#define ACCESS 90    /* ACCESS_TOKEN: the access token, still valid, for a new pair */

/* Replies. */
#define NONE 0
#define INVALID 1    /* invalid_grant */
#define REFUSED 2    /* 429: answered without looking at the token */
#define OK 3         /* OK + n: carries token n */

typedef Row { byte gen; byte tok; byte att; bit probe; bit needs };   /* probe: read by VERDICT_UNHEARD only */
Row row;             /* the primary */
Row pend;            /* what the orphaned COMMIT will show */
#ifdef FAILOVER
Row sb;              /* the standby, any number of commits behind */
bit hold;            /* HOLD: nothing is presented for a while after a failover */
#endif
byte lock;

byte spool[3];       /* per generation: 0, or the token of the reply (tokens of replies are > 0) */
byte resv[3];        /* per generation: attempt of a slot reserved on disk and not yet filled */

byte cur;            /* the only refresh token that the provider takes */
bit revoked;         /* family killed by reuse */
bit window;          /* GRACE: replay of cur - 1 still allowed */
byte sent[GOAL + FAULTS + 1];        /* undeclared presentations per token */

byte req[7];         /* per attempt: 0, or 1 + token under way to the provider */
byte rep[7];         /* per attempt: reply under way to the worker */
bit expired[7];      /* per attempt: deadline passed */
byte after[7];       /* per attempt: the one begun before it, whose deadline passes first */
byte last;           /* the attempt begun last */

/* Per worker: place, attempt, generation, the token in its hand, whether it presents as a declared probe. */
byte pc[3], my[3], g[3], n[3], r[3];
bit cut[3];          /* per worker: the session that held the lock is gone */

byte faults;
bit excused;         /* an irreducible fault happened and its token has not turned up since */

byte i, x, y;        /* scratch, always 0 between steps (these and the next) */
bit held, reusing;

#define open (row.att > 0 || resv[row.gen] > 0)
#define budget (faults < FAULTS)
#define owner(a) ((my[1] == (a)) + 2 * (my[2] == (a)))
#define recorded(a) (after[1] == (a) || after[2] == (a) || after[3] == (a) || after[4] == (a) || after[5] == (a) || after[6] == (a) || row.att == (a) || pend.att == (a) || resv[0] == (a) || resv[1] == (a))
#ifdef FAILOVER
#define referenced(a) (recorded(a) || sb.att == (a) || owner(a) > 0)
#else
#define referenced(a) (recorded(a) || owner(a) > 0)
#endif
#define named(a) (referenced(a) || req[a] > 0)
#define copy(from, to) to.gen = from.gen; to.tok = from.tok; to.att = from.att; to.probe = from.probe; to.needs = from.needs
#define clear(to) to.gen = 0; to.tok = 0; to.att = 0; to.probe = 0; to.needs = 0
#define differs(one, two) (one.gen != two.gen || one.tok != two.tok || one.att != two.att || one.probe != two.probe || one.needs != two.needs)

/* Follow the spools from the row: where this ends should be the token that the provider takes. */
inline reachable() {
    x = row.gen; y = row.tok;
    do
    :: x < GOAL && spool[x] > 0 -> y = spool[x]; x++
    :: else -> break
    od;
    held = (y == cur && !revoked);
}

/* A live worker carries it: the reply is on its way to it or in its memory. */
#define carries(w) (!revoked && ((pc[w] == WAITING && rep[my[w]] == OK + cur) || ((pc[w] >= RECEIVED && pc[w] <= RESAVE || pc[w] == PARSED) && n[w] == cur)))
/* Irreducible: not on disk when the deadline passed, and the session that kept others away is gone. */
#define stranded(w) (carries(w) && expired[my[w]] && cut[w] && spool[g[w]] == 0)

/* A probe that is decided on or under way: it looked in the spools before, and a successor that comes
   to light now comes too late for it. */
#define stale(a) (req[a] > 0 && req[a] - 1 != cur && req[a] - 1 != ACCESS)
#define probing(w) (r[w] == 1 && pc[w] == READY)

/* Runs at the end of every step. I2: the valid token is reachable from the row through the spools, or a
   live worker carries it, or it was lost in one of the ways that no client can prevent. */
inline check() {
    i = 1;
    do
    :: i <= NATT && stale(i) -> reusing = 1; break
    :: i <= NATT && !stale(i) -> i++
    :: else -> break
    od;
    reachable();
    if
    :: held && !reusing && !probing(1) && !probing(2) -> excused = 0
    :: held && (reusing || probing(1) || probing(2)) -> skip
    :: else ->
        if
        :: stranded(1) || stranded(2) -> excused = 1
        :: else
        fi;
        assert(excused || carries(1) || carries(2))                     /* I2 */
    fi;
    /* Attempt ids that nothing refers to lose their bit, so that equal states look equal. */
    i = 1;
    do
    :: i <= NATT ->
        if
        :: named(i)
        :: else -> expired[i] = 0; after[i] = 0
        fi;
        if :: after[i] > 0 && expired[after[i]] -> after[i] = 0 :: else fi;
        if :: last == i && (expired[i] || !named(i)) -> last = 0 :: else fi;
        i++
    :: else -> break
    od;
    i = 0; x = 0; y = 0; held = 0; reusing = 0
}

/* I3: the verdict may fall only if no successor can turn up. */
inline verdict() {
    reachable();
    assert(!held && excused);                                             /* I3 */
    assert(!(carries(1) && !stranded(1)) && !(carries(2) && !stranded(2)));  /* I3 */
    row.needs = 1; row.att = 0; row.probe = 0    /* the reservation stays: a failover may lose the verdict */
}

inline fresh() {
    i = 1;
    do
    :: named(i) -> i++
    :: else -> break
    od;
    assert(i <= NATT);
    my[me] = i; expired[i] = 0; after[i] = last; last = i
}

inline rest() { my[me] = 0; g[me] = 0; n[me] = 0; r[me] = 0; cut[me] = 0; pc[me] = IDLE }
inline unlock() { if :: lock == me -> lock = FREE :: else fi }

/* The row as step 6 leaves it; `to` is the row itself or the orphan's pending copy. */
inline save(to, generation, token) {
    to.tok = token; to.gen = generation + 1; to.att = 0; to.probe = 0; to.needs = 0
}

/* Step 1. A takeover (probe > 0) replaces the intent of an attempt whose outcome is unknown. */
inline intend(to, probe_) {
    to.gen = row.gen; to.tok = row.tok; to.needs = row.needs;
    fresh(); g[me] = row.gen; r[me] = probe_;
#ifdef NO_INTENT
    to.att = 0; to.probe = 0;
#else
    to.att = my[me]; to.probe = probe_;
#endif
    pc[me] = INTENT
}
#ifdef SYNC_INTENT
inline replicated() { copy(row, sb) }
#else
inline replicated() { skip }
#endif

/* What a worker without an attempt finds under the lock. */
#define lapsed ((row.att == 0 || expired[row.att]) && (resv[row.gen] == 0 || expired[resv[row.gen]]))
#define replayable (spool[row.gen] > 0)
#ifdef NO_SPOOL_CHECK
#define unspooled true
#else
#define unspooled (!replayable)
#endif
#ifdef HOLD
#define mayAct (!row.needs && !hold)
#else
#define mayAct (!row.needs)
#endif
#define mayPresent (mayAct && row.gen < GOAL && !open && unspooled)
#define unknown (mayAct && row.gen < GOAL && open && !replayable)
#ifdef PROBE_EARLY
#define mayProbe unknown
#elif defined(VERDICT_UNHEARD)
#define mayProbe (unknown && lapsed && !row.probe)
#define exhausted (unknown && lapsed && row.probe)
#else
#define mayProbe (unknown && lapsed)
#endif

#ifdef NO_CAS
#define still true
#define mine true
#else
#define still (row.gen == g[me])
#define mine (still && row.att == my[me])
#endif

#define saving ((pc[me] == SPOOLED && lock == me && mine) || (pc[me] == RESAVE && lock == FREE && still))
inline newest() {
#ifdef NO_CAS
    skip
#else
    if :: spool[g[me]] > n[me] -> n[me] = spool[g[me]] :: else fi
#endif
}

#include "worker.pml"
#include "world.pml"
