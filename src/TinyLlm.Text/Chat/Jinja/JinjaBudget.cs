namespace TinyLlm.Text.Jinja;

/// <summary>What one rendering may still spend. Everything that takes time or memory asks here first.</summary>
internal sealed class JinjaBudget(TimeProvider time)
{
    private const int StepsPerClock = 4096;

    private readonly long started = time.GetTimestamp();
    private int steps = JinjaLimits.MaxSteps;
    private int clockAskedBelow = JinjaLimits.MaxSteps - StepsPerClock;
    private int depth;

    public void Step(int count = 1)
    {
        steps -= count;
        if (steps < 0)
            throw new ChatTemplateException(ChatTemplateError.TooManySteps, $"the chat template takes more than {JinjaLimits.MaxSteps} steps");
        // The clock is asked rarely: it costs more than a step, and an ordinary template, run for the first time on a busy machine, must not meet it.
        if (steps > clockAskedBelow) return;
        clockAskedBelow = steps - StepsPerClock;
        if (time.GetElapsedTime(started) > JinjaLimits.MaxTime)
            throw new ChatTemplateException(ChatTemplateError.TooSlow, $"the chat template takes more than {JinjaLimits.MaxTime.TotalMilliseconds} ms");
    }

    /// <summary>Before a text of <paramref name="chars"/> is made or read through.</summary>
    public void Text(long chars)
    {
        if (chars > JinjaLimits.MaxOutputBytes)
        {
            throw new ChatTemplateException(ChatTemplateError.OutputTooLarge,
                $"the chat template makes a text of {chars} characters: at most {JinjaLimits.MaxOutputBytes} bytes are allowed");
        }
        Step((int)(chars / JinjaLimits.CharsPerStep));
    }

    /// <summary>Before a list of <paramref name="count"/> is made or read through.</summary>
    public void Items(long count) => Step((int)Math.Min(count / JinjaLimits.ItemsPerStep, int.MaxValue / 2));

    public void Enter()
    {
        // Source and macro calls nest at most MaxDepth each, with several evaluations to a level of the source.
        if (++depth > JinjaLimits.MaxDepth * 8)
            throw new ChatTemplateException(ChatTemplateError.TooDeep, "the chat template nests its calls too deep");
    }

    public void Leave() => depth--;
}
