package muster.interop;

import java.util.ArrayList;
import java.util.List;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** Starts applications on the unmodified Nacos starters. */
final class Application {
    private Application() {}

    /** One with a web server on a free port; {@code settings} are {@code key=value}. */
    static ConfigurableApplicationContext web(String address, String name, Class<?> source, String... settings) {
        List<String> all = common(address, name);
        all.add("--server.port=0");
        all.add("--server.address=127.0.0.1");
        all.add("--spring.cloud.nacos.discovery.ip=127.0.0.1");
        all.add("--spring.cloud.nacos.config.enabled=false");
        all.add("--spring.cloud.nacos.config.import-check.enabled=false");
        // After it has left, an application waits for its callers to notice: 10 s if nothing is set.
        all.add("--spring.cloud.nacos.discovery.graceful-shutdown-wait-time=0");
        // Spring's own cache of 35 s would hide how fast the registry is; Nacos pushes.
        all.add("--spring.cloud.loadbalancer.cache.enabled=false");
        return run(WebApplicationType.SERVLET, source, all, settings);
    }

    /** One that only reads its configuration. */
    static ConfigurableApplicationContext configured(String address, String name, Class<?> source, String... settings) {
        List<String> all = common(address, name);
        all.add("--spring.cloud.nacos.discovery.enabled=false");
        return run(WebApplicationType.NONE, source, all, settings);
    }

    private static List<String> common(String address, String name) {
        return new ArrayList<>(List.of(
                "--spring.application.name=" + name,
                "--spring.cloud.nacos.server-addr=" + address,
                "--spring.jmx.enabled=false",
                "--spring.main.banner-mode=off"));
    }

    private static ConfigurableApplicationContext run(
            WebApplicationType type, Class<?> source, List<String> common, String... settings) {
        for (String setting : settings) {
            common.add("--" + setting);
        }
        return new SpringApplicationBuilder(source).web(type).run(common.toArray(String[]::new));
    }
}
