using Spectre.Console;
using TinyLlm.Cli.Terminal;

namespace TinyLlm.Cli.Push;

/// <summary>For people: a bar with rate and time left for each file and for all of them.</summary>
internal sealed class BarProgress : IPushProgress
{
    private readonly ProgressContext bars;
    private readonly ProgressTask total;
    private readonly Dictionary<ModelFile, ProgressTask> files = [];
    private long doneBytes;

    private BarProgress(ProgressContext bars, ModelFolder folder)
    {
        this.bars = bars;
        total = bars.AddTask("total", maxValue: Math.Max(1, folder.Files.Sum(file => file.Bytes)));
    }

    /// <summary>Draws on standard error while <paramref name="send"/> runs.</summary>
    public static Task<T> RunAsync<T>(Screen screen, ModelFolder folder, Func<IPushProgress, Task<T>> send) =>
        screen.DrawOnError().Progress()
            .AutoClear(false)
            .HideCompleted(false)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn(),
                new PercentageColumn(),
                new DownloadedColumn { Base = FileSizeBase.Decimal },
                new RateColumn(),
                new RemainingTimeColumn())
            .StartAsync(bars => send(new BarProgress(bars, folder)));

    public void Begin(ModelFile file)
    {
        string name = Markup.Escape(ControlFilter.Clean(file.Name, singleLine: true));
        files[file] = bars.AddTaskBefore(name, new ProgressTaskSettings { MaxValue = Math.Max(1, file.Bytes) }, total);
    }

    public void Report(ModelFile file, long position)
    {
        files[file].Value = position;
        total.Value = doneBytes + position;
    }

    public void End(ModelFile file)
    {
        files[file].Value = files[file].MaxValue;
        files[file].StopTask();
        doneBytes += file.Bytes;
        total.Value = doneBytes;
    }

    public void Committing() => total.Description = "validating";
}
