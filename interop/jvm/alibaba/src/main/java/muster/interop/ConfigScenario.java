package muster.interop;

import static muster.interop.Checks.equal;
import static muster.interop.Checks.eventually;
import static muster.interop.Driver.unique;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.cloud.context.config.annotation.RefreshScope;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Where an application's configuration may lie, and how a change reaches its refreshed beans. */
final class ConfigScenario {
    private static final String CONFIG = "spring.cloud.nacos.config.";

    private final Checks checks;
    private final String address;
    private final NacosConfigs configs;
    private final NacosConfigs blue;

    ConfigScenario(Checks checks, String address) {
        this.checks = checks;
        this.address = address;
        this.configs = new NacosConfigs(address, "");
        this.blue = new NacosConfigs(address, "blue");
    }

    /** Values as an application sees them. */
    interface Seen {
        String own();

        String profile();

        String shared();

        String extension();

        String fixed();
    }

    /** An application with one bean that is made anew when its configuration changes. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Configured {
        @Bean
        @RefreshScope
        Seen seen(
                @Value("${own:-}") String own,
                @Value("${profile:-}") String profile,
                @Value("${shared:-}") String shared,
                @Value("${extension:-}") String extension,
                @Value("${fixed:-}") String fixed) {
            record Values(String own, String profile, String shared, String extension, String fixed) implements Seen {}
            return new Values(own, profile, shared, extension, fixed);
        }
    }

    /**
     * The bootstrap way: data ids made of the application's name and profile, shared and extension configs. The starters
     * of 2023.0.1.2 are the last that still do it (spring-cloud-alibaba#3931, #3977).
     */
    void bootstrap() throws Exception {
        String name = unique("app");
        String shared = unique("shared") + ".yaml";
        String extension = unique("extension") + ".properties";
        String fixed = unique("fixed") + ".properties";
        configs.publish("DEFAULT_GROUP", name + ".properties", "own=1\nprofile=base\nextension=own");
        configs.publish("DEFAULT_GROUP", name + "-blue.properties", "profile=blue");
        configs.publish("DEFAULT_GROUP", shared, "shared: 1\nown: shared\n");
        configs.publish("teams", extension, "extension=1\nshared=extension");
        configs.publish("DEFAULT_GROUP", fixed, "fixed=1");
        ConfigurableApplicationContext application = Application.configured(address, name, Configured.class,
                "spring.profiles.active=blue",
                CONFIG + "shared-configs[0].data-id=" + shared,
                CONFIG + "shared-configs[0].refresh=true",
                CONFIG + "shared-configs[1].data-id=" + fixed,
                CONFIG + "shared-configs[1].refresh=false",
                CONFIG + "extension-configs[0].data-id=" + extension,
                CONFIG + "extension-configs[0].group=teams",
                CONFIG + "extension-configs[0].refresh=true");
        Seen seen = application.getBean(Seen.class);
        // The application's own data ids win over extensions, extensions over shared ones, the profile over all.
        checks.check("own", () -> equal("1", seen.own()));
        checks.check("profile", () -> equal("blue", seen.profile()));
        checks.check("shared", () -> equal("extension", seen.shared()));
        checks.check("extension", () -> equal("own", seen.extension()));
        checks.check("refresh", () -> {
            configs.publish("DEFAULT_GROUP", name + ".properties", "own=2\nprofile=base");
            eventually("2", seen::own);
            eventually("1", seen::extension);
            configs.publish("DEFAULT_GROUP", name + "-blue.properties", "profile=bluer");
            eventually("bluer", seen::profile);
        });
        checks.check("refresh-shared", () -> {
            configs.publish("teams", extension, "extension=2");
            eventually("2", seen::extension);
            eventually("1", seen::shared);
            configs.publish("DEFAULT_GROUP", shared, "shared: 2\n");
            eventually("2", seen::shared);
        });
        checks.check("removed", () -> {
            configs.remove("DEFAULT_GROUP", name + "-blue.properties");
            eventually("base", seen::profile);
            equal("1", seen.fixed());
        });
        application.close();
    }

    /** The way of {@code spring.config.import}, in a namespace of its own. */
    void imported() throws Exception {
        String name = unique("imported");
        String optional = unique("absent") + ".yaml";
        blue.publish("teams", name + ".yaml", "own: 1\nprofile: von Größe 甲\n");
        configs.publish("teams", name + ".yaml", "own: of another namespace\n");
        ConfigurableApplicationContext application = Application.configured(address, name, Configured.class,
                CONFIG + "namespace=blue",
                "spring.config.import[0]=nacos:" + name + ".yaml?group=teams&refreshEnabled=true",
                "spring.config.import[1]=optional:nacos:" + optional + "?group=teams&refreshEnabled=true");
        Seen seen = application.getBean(Seen.class);
        checks.check("own", () -> {
            equal("1", seen.own());
            equal("von Größe 甲", seen.profile());
        });
        checks.check("refresh", () -> {
            blue.publish("teams", name + ".yaml", "own: 2\n");
            eventually("2", seen::own);
        });
        checks.check("optional", () -> {
            blue.publish("teams", optional, "extension: 1\n");
            eventually("1", seen::extension);
        });
        application.close();
    }
}
