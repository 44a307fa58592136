using Spectre.Console;
using Spectre.Console.Rendering;
using TinyLlm.Cli.Terminal;

namespace TinyLlm.Cli.Push;

/// <summary>A bar's mean rate since it began. Spectre's own column samples, and knows nothing of a file that is sent within one sample.</summary>
internal sealed class RateColumn : ProgressColumn
{
    protected override bool NoWrap => true;

    public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime)
    {
        string rate = task.ElapsedTime is { TotalSeconds: > 0 } elapsed ? $"{ByteSize.Text((long)(task.Value / elapsed.TotalSeconds))}/s" : "";
        return new Spectre.Console.Text(rate).RightJustified();
    }
}
