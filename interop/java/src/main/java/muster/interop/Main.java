package muster.interop;

import com.alibaba.nacos.api.NacosFactory;
import com.alibaba.nacos.api.config.ConfigService;
import com.alibaba.nacos.api.naming.NamingService;
import java.util.Properties;

/** Drives nacos-client through one scenario: {@code Main SCENARIO ADDRESS:PORT[,ADDRESS:PORT...] [NAME]}. See interop/README.md. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        Properties settings = new Properties();
        settings.setProperty("serverAddr", arguments[1]);
        Checks checks = new Checks();
        switch (arguments[0]) {
            case "naming" -> new NamingScenario(checks, naming(settings), naming(settings)).run();
            case "config" -> new ConfigScenario(checks, config(settings), config(settings)).run();
            case "observe" -> CrashScenario.observe(checks, naming(settings));
            case "victim" -> CrashScenario.victim(naming(settings));
            case "restart" -> new RestartScenario(checks, naming(settings), config(settings)).run();
            case "ensemble" ->
                new EnsembleScenario(checks, naming(settings), naming(settings), config(settings), arguments[2]).run();
            default -> throw new IllegalArgumentException("no scenario " + arguments[0]);
        }
        System.out.flush();
        // The clients' threads are not all daemons.
        Runtime.getRuntime().halt(checks.failed() ? 1 : 0);
    }

    /** Tells the driver that this scenario waits for it, and waits. */
    static void readyAndWait() throws Exception {
        System.out.println("ready");
        System.out.flush();
        while (System.in.read() != '\n') {
            // The rest of the driver's line.
        }
    }

    /** A name that no other run on the same server uses. */
    static String unique(String name) {
        return name + "-" + Long.toString(System.nanoTime(), 36);
    }

    private static NamingService naming(Properties settings) throws Exception {
        return NacosFactory.createNamingService(settings);
    }

    private static ConfigService config(Properties settings) throws Exception {
        return NacosFactory.createConfigService(settings);
    }
}
