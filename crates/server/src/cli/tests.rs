use super::{Cli, Command, values};
use clap::{CommandFactory, Parser};

fn parse(words: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(words.split_whitespace())
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_and_argument_says_what_it_is_for() {
    let mut command = Cli::command();
    command.build();
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        assert!(sub.get_about().is_some(), "{}", sub.get_name());
        for argument in sub.get_arguments() {
            assert!(argument.get_help().is_some(), "{} {}", sub.get_name(), argument.get_id());
        }
    }
}

#[test]
fn help_fits_a_hundred_columns() {
    let mut command = Cli::command();
    command.build();
    let mut texts = vec![command.render_help().to_string()];
    texts.extend(command.get_subcommands_mut().map(|sub| sub.render_help().to_string()));
    for line in texts.iter().flat_map(|text| text.lines()) {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn no_command_is_serve_and_serve_flags_before_another_command_are_refused() {
    let cli = parse("muster --listen 127.0.0.1:1 --set drain=1s").unwrap();
    assert!(cli.command.is_none());
    assert_eq!(cli.serve.flags().values.len(), 2);
    assert!(parse("muster --listen 127.0.0.1:1 get x").is_err());
}

#[test]
fn an_unknown_flag_names_the_nearest() {
    let error = parse("muster serve --lisen x").unwrap_err().to_string();
    assert!(error.contains("'--listen'"), "{error}");
    let error = parse("muster publsh x y").unwrap_err().to_string();
    assert!(error.contains("'publish'"), "{error}");
}

#[test]
fn a_malformed_assignment_is_one_of_the_problems() {
    let cli = parse("muster --set drain --set nothing").unwrap();
    assert_eq!(cli.serve.flags().problems.len(), 2);
}

#[test]
fn servers_are_read_as_they_are_pasted() {
    for (text, address) in [
        ("localhost", "localhost:8848"),
        ("10.0.0.7:80", "10.0.0.7:80"),
        ("http://registry.example:8848/nacos", "registry.example:8848"),
        ("[::1]:9", "[::1]:9"),
        ("[::1]", "[::1]:8848"),
    ] {
        assert_eq!(values::server(text), Ok(address.to_owned()), "{text}");
    }
    for text in ["", ":80", "::1", "host:port", "host:64536", "[x]:1", "https://a", "a b:1", "[::1]x"] {
        assert!(values::server(text).is_err(), "{text}");
    }
}

#[test]
fn instances_need_a_host_and_a_port() {
    assert_eq!(values::instance("10.0.0.7:8080"), Ok(("10.0.0.7".to_owned(), 8080)));
    assert_eq!(values::instance("[fd00::7]:1"), Ok(("fd00::7".to_owned(), 1)));
    for text in [":80", "10.0.0.7", "10.0.0.7:99999", "fd00::7:1", "a b:1"] {
        assert!(values::instance(text).is_err(), "{text}");
    }
}

#[test]
fn weights_are_those_nacos_allows() {
    for text in ["0", "1", "2.5", "10000"] {
        assert!(values::weight(text).is_ok(), "{text}");
    }
    for text in ["-1", "10001", "NaN", "inf", "much"] {
        assert!(values::weight(text).is_err(), "{text}");
    }
    assert!(
        parse("muster register s 10.0.0.7:1 --weight -1").unwrap_err().to_string().contains("0 to 10000")
    );
}

#[test]
fn labels_may_hold_an_equals_sign() {
    let cli = parse("muster register s 10.0.0.7:1 -m a=b=c").unwrap();
    let Some(Command::Register(args)) = cli.command else { panic!("{:?}", cli.command) };
    assert_eq!(args.metadata, [("a".to_owned(), "b=c".to_owned())]);
}
