package muster.interop;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;

/** Runs the checks of a scenario one after the other and tells the driver what came of each. */
public final class Checks {
    /** Longer than any poll of the clients at the intervals set here. */
    public static final Duration SOON = Duration.ofSeconds(30);

    private boolean failed;

    /** A check that may throw. */
    public interface Check {
        void run() throws Exception;
    }

    public void check(String name, Check check) {
        try {
            check.run();
            Driver.say("ok " + name);
        } catch (Throwable problem) {
            failed = true;
            Driver.say("FAIL " + name + ": " + String.valueOf(problem).replace('\n', ' '));
            problem.printStackTrace();
        }
    }

    public void notApplicable(String name, String why) {
        Driver.say("n/a " + name + ": " + why);
    }

    boolean failed() {
        return failed;
    }

    public static void equal(Object expected, Object actual) {
        if (!Objects.equals(expected, actual)) {
            throw new AssertionError("expected " + cut(expected) + ", got " + cut(actual));
        }
    }

    public static void holds(boolean condition, String what) {
        if (!condition) {
            throw new AssertionError(what);
        }
    }

    /** Waits until a value is as expected; the last one seen is in the failure. */
    public static <T> void eventually(T expected, Callable<T> value) throws Exception {
        eventually(SOON, expected, value);
    }

    public static <T> void eventually(Duration within, T expected, Callable<T> value) throws Exception {
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
