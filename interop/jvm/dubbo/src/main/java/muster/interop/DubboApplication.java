package muster.interop;

import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import org.apache.dubbo.config.annotation.DubboReference;
import org.apache.dubbo.config.annotation.DubboService;
import org.apache.dubbo.config.spring.context.annotation.EnableDubbo;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Applications on the unmodified Dubbo starters. */
final class DubboApplication {
    private static final String VERSION = "1.0.0";
    private static final String GROUP = "polite";

    private DubboApplication() {}

    /** Offers the service and says its own name. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @EnableDubbo
    static class Provider {
        @Bean
        @DubboService(version = VERSION, group = GROUP)
        Greeter greeter(@Value("${who}") String who) {
            return name -> who + " greets " + name;
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @EnableDubbo
    static class Consumer {
        // Remote, as Dubbo would otherwise call a provider in its own process past the registry.
        @DubboReference(version = VERSION, group = GROUP, scope = "remote", check = false, retries = 0)
        private Greeter greeter;

        @Bean
        Calls calls() {
            return () -> greeter.greet("world");
        }
    }

    /** The consumer's side of the service. */
    interface Calls {
        String greeting();
    }

    static ConfigurableApplicationContext provider(String name, String who, String... settings) throws Exception {
        List<String> all = common(name);
        all.add("--who=" + who);
        all.add("--dubbo.protocol.name=dubbo");
        try (ServerSocket free = new ServerSocket(0)) {
            all.add("--dubbo.protocol.port=" + free.getLocalPort());
        }
        return run(Provider.class, all, settings);
    }

    static ConfigurableApplicationContext consumer(String name, String... settings) {
        return run(Consumer.class, common(name), settings);
    }

    private static List<String> common(String name) {
        return new ArrayList<>(List.of(
                "--dubbo.application.name=" + name,
                "--dubbo.application.qos-enable=false",
                "--dubbo.application.metadata-service-protocol=dubbo",
                "--spring.application.name=" + name,
                "--spring.jmx.enabled=false",
                "--spring.main.banner-mode=off"));
    }

    private static ConfigurableApplicationContext run(Class<?> source, List<String> common, String... settings) {
        for (String setting : settings) {
            common.add("--" + setting);
        }
        return new SpringApplicationBuilder(source).web(WebApplicationType.NONE).run(common.toArray(String[]::new));
    }
}
