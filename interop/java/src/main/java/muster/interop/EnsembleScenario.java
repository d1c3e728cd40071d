package muster.interop;

import static muster.interop.Checks.equal;
import static muster.interop.Checks.eventually;

import com.alibaba.nacos.api.config.ConfigService;
import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.listener.NamingEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Nodes of an ensemble are killed one after another while the clients write, register, read and watch. */
final class EnsembleScenario {
    private static final String GROUP = "DEFAULT_GROUP";
    private static final Duration RECOVERY = Duration.ofSeconds(60);
    private static final int CONFIGS = 20;

    private final Checks checks;
    private final NamingService provider;
    private final NamingService consumer;
    private final ConfigService config;
    private final String name;
    private volatile boolean stop;
    private final AtomicInteger calls = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger();
    private final AtomicInteger empty = new AtomicInteger();
    /** The last number that was acknowledged, by config. */
    private final int[] acknowledged = new int[CONFIGS];

    EnsembleScenario(Checks checks, NamingService provider, NamingService consumer, ConfigService config, String name) {
        this.checks = checks;
        this.provider = provider;
        this.consumer = consumer;
        this.config = config;
        this.name = name;
    }

    void run() throws Exception {
        String service = "kept-" + name;
        AtomicInteger told = new AtomicInteger();
        provider.registerInstance(service, GROUP, "10.5.0.1", 1);
        consumer.subscribe(service, GROUP, event -> {
            int count = ((NamingEvent) event).getInstances().size();
            if (count == 0 && told.get() > 0) {
                empty.incrementAndGet();
            }
            told.set(count);
        });
        eventually(1, told::get);
        ConfigScenario.Latest listener = new ConfigScenario.Latest();
        equal(true, config.publishConfig("watched-" + name, GROUP, "before"));
        config.addListener("watched-" + name, GROUP, listener);

        List<Thread> loops = List.of(
            loop(this::write),
            loop(round -> {
                if (consumer.getAllInstances(service, GROUP, false).isEmpty()) {
                    empty.incrementAndGet();
                }
            }),
            loop(round -> {
                String host = "10.6.0." + (1 + round % 200);
                provider.registerInstance("comers-" + name, GROUP, host, 1);
                provider.deregisterInstance("comers-" + name, GROUP, host, 1);
            }));
        Main.readyAndWait();
        stop = true;
        for (Thread thread : loops) {
            thread.join();
        }
        System.out.println("note " + calls + " calls, " + failed + " failed, " + empty + " empty lists");
        checks.check("configs", this::nothingLost);
        checks.check("lists", () -> equal(0, empty.get()));
        checks.check("registered", () ->
            eventually(RECOVERY, 1, () -> consumer.getAllInstances(service, GROUP, false).size()));
        checks.check("listener", () -> {
            eventually(RECOVERY, true, () -> config.publishConfig("watched-" + name, GROUP, "after"));
            eventually(RECOVERY, "after", listener.content::get);
        });
    }

    private interface Call {
        void run(int round) throws Exception;
    }

    private Thread loop(Call call) {
        Thread thread = new Thread(() -> {
            for (int round = 1; !stop; round++) {
                calls.incrementAndGet();
                try {
                    call.run(round);
                } catch (Exception problem) {
                    failed.incrementAndGet();
                    System.err.println(System.currentTimeMillis() + " " + problem);
                }
                try {
                    Thread.sleep(100);
                } catch (InterruptedException ended) {
                    return;
                }
            }
        });
        thread.start();
        return thread;
    }

    private void write(int round) throws Exception {
        if (!config.publishConfig(id(round % CONFIGS), GROUP, Integer.toString(round))) {
            throw new IllegalStateException("not published");
        }
        acknowledged[round % CONFIGS] = round;
    }

    private String id(int number) {
        return "ledger-" + name + "-" + number;
    }

    /** What was acknowledged is there, or what was written over it without an answer. */
    private void nothingLost() throws Exception {
        for (int number = 0; number < CONFIGS; number++) {
            String content = config.getConfig(id(number), GROUP, 5_000);
            if (acknowledged[number] > 0 && (content == null || Integer.parseInt(content) < acknowledged[number])) {
                throw new AssertionError(id(number) + ": " + acknowledged[number] + " was acknowledged, it has " + content);
            }
        }
    }
}
