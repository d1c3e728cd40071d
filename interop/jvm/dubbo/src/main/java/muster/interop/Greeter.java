package muster.interop;

/** The service that is called. */
public interface Greeter {
    /** Says who greets whom. */
    String greet(String name);
}
