package muster.interop;

import static muster.interop.Checks.eventually;

import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.listener.NamingEvent;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** A client that is killed, and one that sees its instances go. */
final class CrashScenario {
    private static final String GROUP = "DEFAULT_GROUP";
    /** A beat lease of 30 s, the server's look at it, and the slowest client's own poll. */
    private static final Duration LEASE = Duration.ofSeconds(60);

    private CrashScenario() {}

    static void observe(Checks checks, NamingService naming) throws Exception {
        AtomicInteger count = new AtomicInteger(-1);
        naming.subscribe(service(), GROUP, event -> count.set(((NamingEvent) event).getInstances().size()));
        System.out.println("ready");
        checks.check("seen", () -> eventually(LEASE, 1, count::get));
        Main.readyAndWait();
        checks.check("vanished", () -> eventually(LEASE, 0, count::get));
    }

    static void victim(NamingService naming) throws Exception {
        naming.registerInstance(service(), GROUP, "10.2.0.1", 1);
        Main.readyAndWait();
    }

    /** The same name in both processes, another one for each line of the client. */
    private static String service() {
        return "crash-java-" + System.getProperty("line");
    }
}
