package muster.interop;

/** Drives Spring Cloud Alibaba on Boot 3 through one scenario: {@code Main SCENARIO ADDRESS:PORT}. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        String address = arguments[1];
        Driver.run(checks -> {
            switch (arguments[0]) {
                case "discovery" -> new DiscoveryScenario(checks, address).run();
                case "config" -> new ConfigScenario(checks, address).bootstrap();
                case "import" -> new ConfigScenario(checks, address).imported();
                default -> throw new IllegalArgumentException("no scenario " + arguments[0]);
            }
        });
    }
}
