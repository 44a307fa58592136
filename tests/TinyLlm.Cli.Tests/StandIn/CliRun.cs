using TinyLlm.Cli.Api;
using TinyLlm.Cli.Credentials;
using TinyLlm.Cli.Terminal;

namespace TinyLlm.Cli.Tests.StandIn;

/// <summary>Runs command lines inside the test with streams, variables and a settings folder of its own.</summary>
internal sealed class CliRun : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tinyllm-cli-").FullName;

    public CliRun() => Store = new CredentialStore(Path.Combine(folder, "config"));

    public CredentialStore Store { get; }

    public Dictionary<string, string> Variables { get; } = [];

    public Interrupts Interrupts { get; } = new();

    /// <summary>Whether standard input and output pretend to be terminals.</summary>
    public bool IsTerminal { get; init; }

    /// <summary>Whether standard error pretends to be one, so that progress is drawn.</summary>
    public bool ErrorIsTerminal { get; init; }

    public TextReader In { get; set; } = TextReader.Null;

    public WatchedWriter Out { get; } = new();

    public WatchedWriter Error { get; } = new();

    /// <summary>Repeats at once, so that no test waits.</summary>
    public TransferPolicy Transfer { get; init; } = new() { MaxFailures = 4, FirstPause = TimeSpan.Zero, LongestRetryAfter = TimeSpan.Zero };

    /// <summary>A folder for files of the test.</summary>
    public string NewFolder(string name) => Directory.CreateDirectory(Path.Combine(folder, name)).FullName;

    public Task<int> RunAsync(params string[] args) => CommandLine.RunAsync(args, new CliContext
    {
        Screen = new Screen(In, Out, Error) { InIsTerminal = IsTerminal, OutIsTerminal = IsTerminal, ErrorIsTerminal = ErrorIsTerminal },
        Interrupts = Interrupts,
        Variable = name => Variables.GetValueOrDefault(name),
        Credentials = Store,
        Transfer = Transfer,
    });

    /// <summary>Points the run at a host, with a token.</summary>
    public CliRun At(StandInHost host)
    {
        Variables["TINYLLM_URL"] = host.Url;
        Variables["TINYLLM_TOKEN"] = "tlm_test";
        return this;
    }

    public void Dispose()
    {
        Interrupts.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
