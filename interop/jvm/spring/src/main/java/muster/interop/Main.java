package muster.interop;

/** Drives Spring Cloud's Eureka starter through one scenario: {@code Main SCENARIO ADDRESS:PORT SUITE}. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        Driver.run(checks -> {
            boolean known = EurekaScenarios.run(checks, arguments, SpringClient::start);
            Checks.holds(known, "no scenario " + arguments[0]);
        });
    }
}
