package muster.interop;

/** Drives Spring Cloud Netflix on Boot 3 through one scenario: {@code Main SCENARIO ADDRESS:PORT SUITE}. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        Driver.run(checks -> {
            if (EurekaScenarios.run(checks, arguments, SpringClient::start)) {
                return;
            }
            switch (arguments[0]) {
                case "calls" -> new CallsScenario(checks, arguments[1]).run();
                default -> throw new IllegalArgumentException("no scenario " + arguments[0]);
            }
        });
    }
}
