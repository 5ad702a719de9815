package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/**
 * What an operator has limited, as {@code fleet/limit.py} writes it beside the KCL's state, and each worker's share
 * of it in the same row: every worker looks each two seconds, and writes there what it has and what it needs.
 *
 * <p>A row is written on the condition that nobody has written since it was read, and never with more shares than
 * there are. A worker lowers its pace before it gives up a part, and raises it after it got one. What it has it uses
 * for ten seconds from when it asked, and then nothing until it could ask again; others take what has stood still
 * for fifteen seconds. So at no time the shares in use are more than the limit; no clock is compared.
 */
final class Limits implements Runnable {
    static final String KEY = "KclProcessorLimit";
    private static final Duration LOOKS = Duration.ofSeconds(2);
    static final Duration KEPT = Duration.ofSeconds(10);
    static final Duration DEAD = Duration.ofSeconds(15);
    private static final int ATTEMPTS = 5;
    /** One alone is told to nobody: where a limit begins all workers write at once. */
    private static final int LOOKS_WITHOUT = 2;
    private static final String LIMIT = "limit";
    private static final String VERSION = "version";
    private static final String SHARE = "share/";
    private static final String PARTS = "parts";
    private static final String USED = "wcu";
    private static final String WAITING = "waiting";
    private static final String BEAT = "beat";

    private final String worker;
    private final WriteAccount account;
    private final LongSupplier nanos;
    /** The beat of each other worker's share, and since when it is the same. */
    private final Map<String, Beat> beats = new HashMap<>();
    private OwnRows rows;
    /** The limit that was told last; null for none. */
    private AttributeValue told;
    private boolean left;
    /** Looks in a row behind which nothing may be let out, for the share ran out. */
    private int looksWithout;

    private static final class Beat {
        final String beat;
        final long since;

        Beat(String beat, long since) {
            this.beat = beat;
            this.since = since;
        }
    }

    Limits(String worker, WriteAccount account, LongSupplier nanos) {
        this.worker = worker;
        this.account = account;
        this.nanos = nanos;
    }

    /** Looks before the first record is let out, and from then on every two seconds; anew after {@link #leave}, too. */
    synchronized void begin(OwnRows beside) {
        rows = beside;
        left = false;
        look();
    }

    void start() {
        Rounds.every(LOOKS, "limits", this);
    }

    @Override
    public void run() {
        try {
            look();
            tellWithout("other workers came first each time");
        } catch (RuntimeException e) {
            // A limit that was none stays none; a share runs out by itself.
            Connectors.LOG.debug("What is limited cannot be told now ({})", e.toString());
            tellWithout(e.toString());
        }
    }

    private synchronized void tellWithout(String why) {
        int before = looksWithout;
        looksWithout = account.isOut() && !left ? before + 1 : 0;
        if (before < LOOKS_WITHOUT && looksWithout == LOOKS_WITHOUT) {
            Connectors.LOG.warn("The share of worker {} in the limit ran out and cannot be renewed ({}): nothing is"
                    + " applied until it can, and the stream keeps it for a day. Try: kcl-processor doctor", worker, why);
        } else if (before >= LOOKS_WITHOUT && looksWithout == 0 && !left) {
            Connectors.LOG.warn("Worker {} has a share in the limit again, or there is none any more", worker);
        }
    }

    private synchronized void look() {
        WriteAccount.Demand demand = account.takeDemand();
        for (int attempt = 0; attempt < ATTEMPTS && !left; attempt++) {
            long asked = nanos.getAsLong();
            Map<String, AttributeValue> row = rows.read(KEY).orElse(Map.of());
            tell(row);
            if (!row.containsKey(LIMIT)) {
                account.free();
                return;
            }
            if (renew(row, limit(row), demand, asked)) {
                return;
            }
        }
    }

    /** Takes and gives parts; whether the row was still as it was read. */
    private boolean renew(Map<String, AttributeValue> row, double limit, WriteAccount.Demand demand, long asked) {
        Map<String, Shares.Share> shares = living(row);
        Shares.Share ours = shares.get(worker);
        long had = ours == null ? 0 : ours.parts;
        shares.put(worker, new Shares.Share(had, demand.unitsASecond, demand.waiting));
        // One that comes is seen by the others before it takes: they come at the same time as it where a limit begins.
        long parts = ours == null ? 0 : Shares.parts(worker, shares, limit);
        double rate = limit * parts / Shares.WHOLE;
        account.lower(rate);
        Map<String, AttributeValue> after = new HashMap<>(row);
        after.keySet().removeIf(name -> name.startsWith(SHARE) && !shares.containsKey(name.substring(SHARE.length())));
        after.put(SHARE + worker, AttributeValue.fromM(Map.of(
                PARTS, AttributeValue.fromN(Long.toString(parts)),
                USED, AttributeValue.fromN(String.format(Locale.ROOT, "%.1f", demand.unitsASecond)),
                WAITING, AttributeValue.fromN(Integer.toString(demand.waiting)),
                BEAT, AttributeValue.fromS(UUID.randomUUID().toString()))));
        if (!replace(row, after)) {
            return false;
        }
        account.share(rate, asked + KEPT.toNanos());
        return true;
    }

    /** Each write has a version of its own, so that it tells of all others. */
    private boolean replace(Map<String, AttributeValue> row, Map<String, AttributeValue> after) {
        AttributeValue version = row.get(VERSION);
        after.put(VERSION, AttributeValue.fromS(UUID.randomUUID().toString()));
        return rows.replace(KEY, version == null ? Map.of(LIMIT, row.get(LIMIT)) : Map.of(VERSION, version), after);
    }

    /** Those of the workers that moved of late, and this one's. */
    private Map<String, Shares.Share> living(Map<String, AttributeValue> row) {
        Map<String, Map<String, AttributeValue>> all = row.keySet().stream().filter(name -> name.startsWith(SHARE))
                .collect(Collectors.toMap(name -> name.substring(SHARE.length()), name -> row.get(name).m()));
        beats.keySet().retainAll(all.keySet());
        Map<String, Shares.Share> found = new TreeMap<>();
        long now = nanos.getAsLong();
        all.forEach((of, share) -> {
            String beat = share.get(BEAT).s();
            Beat last = beats.compute(of, (name, known) ->
                    known != null && known.beat.equals(beat) ? known : new Beat(beat, now));
            if (of.equals(worker) || now - last.since < DEAD.toNanos()) {
                found.put(of, new Shares.Share(Long.parseLong(share.get(PARTS).n()),
                        Double.parseDouble(share.get(USED).n()), Integer.parseInt(share.get(WAITING).n())));
            }
        });
        return found;
    }

    /** @throws Refused if somebody has written what is no limit */
    private static double limit(Map<String, AttributeValue> row) {
        AttributeValue given = row.get(LIMIT).m().get("wcu");
        try {
            double limit = Double.parseDouble(given.n());
            if (limit > 0 && limit < Double.POSITIVE_INFINITY) {
                return limit;
            }
        } catch (NullPointerException | NumberFormatException e) {
            // Told below.
        }
        throw new Refused(ExitStatus.CONFIG, "The limit in the row " + KEY + " is no number above 0: "
                + row.get(LIMIT) + ".", "kcl-processor limit TASK --max-wcu N, or --off");
    }

    private void tell(Map<String, AttributeValue> row) {
        AttributeValue now = row.get(LIMIT);
        if (Objects.equals(now, told)) {
            return;
        }
        told = now;
        account.clear();
        if (now == null) {
            Connectors.LOG.warn("The task is limited no more");
        } else {
            Connectors.LOG.warn("The task is limited to {} write units a second over all its workers, {}: what is more"
                    + " waits, and the stream keeps it for a day", limit(row), Pauses.words(now));
        }
    }

    /** Gives its share to the others; nothing of this worker's may be under way. */
    synchronized void leave() {
        left = true;
        if (rows == null) {
            return;
        }
        try {
            account.lower(0);
            for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
                Map<String, AttributeValue> row = rows.read(KEY).orElse(Map.of());
                Map<String, AttributeValue> after = new HashMap<>(row);
                if (after.remove(SHARE + worker) == null || replace(row, after)) {
                    return;
                }
            }
        } catch (RuntimeException e) {
            Connectors.LOG.debug("The share of worker {} stays for {} s ({})", worker, DEAD.toSeconds(), e.toString());
        }
    }
}
