package muster.interop;

import static muster.interop.Checks.equal;
import static muster.interop.Checks.eventually;

import com.alibaba.nacos.api.config.ConfigService;
import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.listener.NamingEvent;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** The server dies under a client and comes back. */
final class RestartScenario {
    private static final String GROUP = "DEFAULT_GROUP";
    /** The clients' back-off and their redo task. */
    private static final Duration RECOVERY = Duration.ofSeconds(60);

    private final Checks checks;
    private final NamingService naming;
    private final ConfigService config;

    RestartScenario(Checks checks, NamingService naming, ConfigService config) {
        this.checks = checks;
        this.naming = naming;
        this.config = config;
    }

    void run() throws Exception {
        AtomicInteger told = new AtomicInteger(-1);
        ConfigScenario.Latest listener = new ConfigScenario.Latest();
        naming.registerInstance("restart", GROUP, "10.3.0.1", 1);
        naming.subscribe("watched", GROUP, event -> told.set(((NamingEvent) event).getInstances().size()));
        naming.registerInstance("watched", GROUP, "10.3.0.2", 2);
        equal(true, config.publishConfig("kept", GROUP, "before"));
        config.addListener("kept", GROUP, listener);
        equal(true, config.publishConfig("kept", GROUP, "still before"));
        eventually("still before", listener.content::get);
        eventually(1, told::get);

        Main.readyAndWait();
        checks.check("kept", () -> eventually(RECOVERY, "still before", () -> config.getConfig("kept", GROUP, 3_000)));
        checks.check("reregister", () ->
            eventually(RECOVERY, 1, () -> naming.getAllInstances("restart", GROUP, false).size()));
        checks.check("subscription", () -> {
            eventually(RECOVERY, 1, () -> naming.getAllInstances("watched", GROUP, false).size());
            naming.deregisterInstance("watched", GROUP, "10.3.0.2", 2);
            eventually(RECOVERY, 0, told::get);
            naming.registerInstance("watched", GROUP, "10.3.0.3", 3);
            eventually(RECOVERY, 1, told::get);
        });
        checks.check("listener", () -> {
            equal(true, config.publishConfig("kept", GROUP, "after"));
            eventually(RECOVERY, "after", listener.content::get);
        });
    }
}
