package muster.interop;

import java.util.List;
import java.util.Map;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;

/** An application on the unmodified Eureka starter, seen through Spring Cloud's own {@code DiscoveryClient}. */
final class SpringClient implements EurekaClient {
    private final ConfigurableApplicationContext context;

    private SpringClient(ConfigurableApplicationContext context) {
        this.context = context;
    }

    /** Everything the starter brings, nothing else. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {}

    static SpringClient start(String address, String name) {
        return new SpringClient(run(address, name, name + ":1", Map.of(), Application.class));
    }

    /** Starts an application with a web server on a free port, as an instance {@code id} of {@code name}. */
    static ConfigurableApplicationContext run(
            String address, String name, String id, Map<String, Object> settings, Class<?>... sources) {
        return new SpringApplicationBuilder(sources)
                .properties(
                        "spring.application.name=" + name,
                        "server.port=0",
                        "server.address=127.0.0.1",
                        "spring.jmx.enabled=false",
                        "spring.main.banner-mode=off",
                        "eureka.client.service-url.defaultZone=http://" + address + "/eureka/",
                        "eureka.client.registry-fetch-interval-seconds=" + FETCH_SECONDS,
                        "eureka.instance.instance-id=" + id,
                        "eureka.instance.prefer-ip-address=true",
                        "eureka.instance.ip-address=127.0.0.1",
                        "eureka.instance.lease-renewal-interval-in-seconds=" + RENEWAL_SECONDS,
                        "eureka.instance.lease-expiration-duration-in-seconds=" + 3 * RENEWAL_SECONDS,
                        "eureka.instance.metadata-map.colour=green",
                        "spring.cloud.loadbalancer.cache.enabled=false")
                .properties(settings)
                .run();
    }

    @Override
    public String id() {
        return context.getEnvironment().getProperty("eureka.instance.instance-id");
    }

    @Override
    public List<String> shown(String app) {
        return context.getBean(DiscoveryClient.class).getInstances(app).stream()
                .map(instance -> instance.getPort() + " " + instance.getMetadata().get("colour"))
                .sorted()
                .toList();
    }

    @Override
    public void close() {
        context.close();
    }
}
