using TinyLlm.Cli.Terminal;

namespace TinyLlm.Cli.Push;

/// <summary>For logs and pipes: one line when a file is there, with its rate.</summary>
internal sealed class LineProgress(Screen screen, TimeProvider time) : IPushProgress
{
    private long startedAt;

    public void Begin(ModelFile file) => startedAt = time.GetTimestamp();

    public void Report(ModelFile file, long position)
    {
    }

    public void End(ModelFile file)
    {
        double seconds = Math.Max(time.GetElapsedTime(startedAt).TotalSeconds, 1e-3);
        screen.WriteErrorLine($"{file.Name}  {ByteSize.Text(file.Bytes)}  {ByteSize.Text((long)(file.Bytes / seconds))}/s");
    }

    public void Committing() => screen.WriteErrorLine("validating");
}
