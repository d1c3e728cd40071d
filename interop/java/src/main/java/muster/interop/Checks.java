package muster.interop;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;

/** Runs the checks of a scenario one after the other and prints what came of each. */
final class Checks {
    /** Longer than any push or retry of the clients, shorter than a beat lease. */
    static final Duration SOON = Duration.ofSeconds(20);

    private boolean failed;

    /** A check that may throw. */
    interface Check {
        void run() throws Exception;
    }

    void check(String name, Check check) {
        try {
            check.run();
            System.out.println("ok " + name);
        } catch (Throwable problem) {
            failed = true;
            System.out.println("FAIL " + name + ": " + String.valueOf(problem).replace('\n', ' '));
            problem.printStackTrace();
        }
    }

    void notApplicable(String name, String why) {
        System.out.println("n/a " + name + ": " + why);
    }

    boolean failed() {
        return failed;
    }

    static void equal(Object expected, Object actual) {
        if (!Objects.equals(expected, actual)) {
            throw new AssertionError("expected " + cut(expected) + ", got " + cut(actual));
        }
    }

    /** Waits until a value is as expected; the last one seen is in the failure. */
    static <T> void eventually(T expected, Callable<T> value) throws Exception {
        eventually(SOON, expected, value);
    }

    static <T> void eventually(Duration within, T expected, Callable<T> value) throws Exception {
        long deadline = System.nanoTime() + within.toNanos();
        Object seen;
        do {
            try {
                seen = value.call();
            } catch (Exception problem) {
                seen = problem;
            }
            if (Objects.equals(expected, seen)) {
                return;
            }
            Thread.sleep(50);
        } while (System.nanoTime() < deadline);
        throw new AssertionError("expected " + cut(expected) + " within " + within + ", got " + cut(seen));
    }

    private static String cut(Object value) {
        String text = String.valueOf(value);
        return text.length() <= 300 ? text : text.substring(0, 300) + "... (" + text.length() + " characters)";
    }
}
