package muster.interop;

import java.io.PrintStream;

/** The other end of the pipe: {@code xtask interop}, which reads lines and lets a waiting program go on. */
public final class Driver {
    private static final PrintStream TOLD = System.out;

    private Driver() {}

    /** A scenario of a program. */
    public interface Scenario {
        void run(Checks checks) throws Exception;
    }

    /** Runs a scenario and ends the process; the libraries' own output goes to standard error. */
    public static void run(Scenario scenario) {
        System.setOut(System.err);
        Checks checks = new Checks();
        int code = 2;
        try {
            scenario.run(checks);
            code = checks.failed() ? 1 : 0;
        } catch (Throwable problem) {
            problem.printStackTrace();
        }
        TOLD.flush();
        // The clients' threads are not all daemons.
        Runtime.getRuntime().halt(code);
    }

    static synchronized void say(String line) {
        TOLD.println(line);
        TOLD.flush();
    }

    /** Tells the driver that this scenario waits for it, and waits. */
    public static void readyAndWait() throws Exception {
        say("ready");
        for (int next = System.in.read(); next != '\n'; next = System.in.read()) {
            Checks.holds(next >= 0, "the driver is gone");
        }
    }

    /** A name that no other run on the same server uses. */
    public static String unique(String name) {
        return name + "-" + Long.toString(System.nanoTime(), 36);
    }
}
