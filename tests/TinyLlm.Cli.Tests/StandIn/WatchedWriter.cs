using System.Text;

namespace TinyLlm.Cli.Tests.StandIn;

/// <summary>Keeps what is written, and tells when a text has appeared.</summary>
internal sealed class WatchedWriter : TextWriter
{
    private readonly StringBuilder written = new();
    private readonly List<(string Text, TaskCompletionSource Seen)> watches = [];

    public override Encoding Encoding => Encoding.UTF8;

    public string Text
    {
        get
        {
            lock (written) return written.ToString();
        }
    }

    /// <summary>Completes when <paramref name="text"/> has been written.</summary>
    public Task SeenAsync(string text)
    {
        TaskCompletionSource seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (written)
        {
            watches.Add((text, seen));
            Tell();
        }
        return seen.Task;
    }

    public override void Write(char value) => Write(value.ToString());

    public override void Write(string? value)
    {
        lock (written)
        {
            written.Append(value);
            Tell();
        }
    }

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    private void Tell()
    {
        string text = written.ToString();
        foreach ((string wanted, TaskCompletionSource seen) in watches)
        {
            if (text.Contains(wanted, StringComparison.Ordinal)) seen.TrySetResult();
        }
    }
}
