package muster.interop;

import static muster.interop.Checks.equal;
import static muster.interop.Checks.eventually;
import static muster.interop.Driver.unique;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.cloud.client.loadbalancer.LoadBalanced;
import org.springframework.cloud.openfeign.EnableFeignClients;
import org.springframework.cloud.openfeign.FeignClient;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;

/** Two instances of a provider and a consumer that calls them by name, in all the ways Spring Cloud offers. */
public final class Calls {
    private final Checks checks;
    private final String address;
    private final EurekaServer server;

    Calls(Checks checks, String address) {
        this.checks = checks;
        this.address = address;
        this.server = new EurekaServer(address);
    }

    /** {@code Calls SCENARIO ADDRESS:PORT SUITE}. */
    public static void main(String[] arguments) {
        Driver.run(checks -> new Calls(checks, arguments[1]).run());
    }

    /** Answers with its own instance id. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @RestController
    static class Provider {
        @Value("${eureka.instance.instance-id}")
        private String id;

        @GetMapping("/who")
        String who() {
            return id;
        }
    }

    /** The declarative client. */
    @FeignClient("${provider}")
    interface ProviderApi {
        @GetMapping("/who")
        String who();
    }

    /** Calls by name only. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @EnableFeignClients(clients = ProviderApi.class)
    static class Consumer {
        @Bean
        @LoadBalanced
        RestClient.Builder balancedClient() {
            return RestClient.builder();
        }

        @Bean
        @LoadBalanced
        RestTemplate balancedTemplate() {
            return new RestTemplate();
        }
    }

    /** One way of calling. */
    private interface Call {
        String who();
    }

    void run() {
        String provider = unique("provider");
        ConfigurableApplicationContext one = SpringClient.run(address, provider, "one", Map.of(), Provider.class);
        ConfigurableApplicationContext two = SpringClient.run(address, provider, "two", Map.of(), Provider.class);
        System.setProperty("provider", provider);
        ConfigurableApplicationContext consumer =
                SpringClient.run(address, unique("consumer"), "consumer:1", Map.of(), Consumer.class);
        RestClient client = consumer.getBean(RestClient.Builder.class).build();
        RestTemplate template = consumer.getBean(RestTemplate.class);
        ProviderApi feign = consumer.getBean(ProviderApi.class);
        String url = "http://" + provider + "/who";
        Call byClient = () -> client.get().uri(url).retrieve().body(String.class);

        checks.check("restclient", () -> eventually(Set.of("one", "two"), () -> called(byClient)));
        checks.check("resttemplate", () -> equal(Set.of("one", "two"), called(() -> template.getForObject(url, String.class))));
        checks.check("feign", () -> equal(Set.of("one", "two"), called(feign::who)));
        checks.check("override", () -> {
            server.override(provider, "one", "OUT_OF_SERVICE");
            eventually(Set.of("two"), () -> called(byClient));
            server.clearOverride(provider, "one");
            eventually(Set.of("one", "two"), () -> called(byClient));
        });
        checks.check("leave", () -> {
            two.close();
            eventually(Set.of("one"), () -> called(byClient));
            equal(Set.of("one"), called(feign::who));
        });
        consumer.close();
        one.close();
    }

    /** Who answers a few calls in a row. */
    private static Set<String> called(Call call) {
        Set<String> seen = new TreeSet<>();
        for (int round = 0; round < 6; round++) {
            seen.add(call.who());
        }
        return seen;
    }
}
