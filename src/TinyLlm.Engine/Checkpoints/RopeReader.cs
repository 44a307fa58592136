namespace TinyLlm.Engine;

/// <summary>
/// Rotary positions of config.json. transformers 5 writes rope_parameters; before it, rope_theta and rope_scaling, with rope_type once called
/// type.
/// </summary>
internal static class RopeReader
{
    private const double DefaultTheta = 10000, MaxTheta = 1e12, MaxFactor = 1e6;
    private const double YarnFastTurns = 32, YarnSlowTurns = 1; // the paper's, section 3.2

    /// <summary>The base of the frequencies, where <paramref name="field"/> of the file or rope_parameters has it.</summary>
    public static double ThetaOf(ConfigFile file, string field, double absent = DefaultTheta)
    {
        ConfigFile? parameters = file.Object("rope_parameters");
        return parameters is not null && parameters.Has("rope_theta")
            ? parameters.Number("rope_theta", 1, MaxTheta)
            : file.Number(field, 1, MaxTheta, absent);
    }

    /// <summary>The rotation, and the context for which it is made.</summary>
    public static (RopeOptions Rope, int ContextLength) Read(ConfigFile file, int headSize, double partialRotary, double theta) =>
        Read(file, file.Object("rope_parameters") ?? file.Object("rope_scaling"), headSize, partialRotary, theta);

    /// <summary>The same, with the scaling given; null: none.</summary>
    public static (RopeOptions Rope, int ContextLength) Read(ConfigFile file, ConfigFile? scaling, int headSize, double partialRotary, double theta)
    {
        int context = file.Int("max_position_embeddings", 1, ConfigLimits.Context);
        if (scaling is not null && scaling.Has("partial_rotary_factor")) partialRotary = scaling.Number("partial_rotary_factor", 0, 1);
        int size = (int)(headSize * partialRotary);
        if (size < 2 || size % 2 != 0)
            throw file.Disagree($"the head size is {headSize} and {size} of it turns: rotary positions turn pairs, so it must be even and at least 2");
        RopeOptions plain = new(theta, size);
        if (scaling is null) return (plain, context);
        string field = scaling.Has("rope_type") ? "rope_type" : "type";
        return scaling.Text(field) switch
        {
            null or "default" => (plain, context),
            "linear" => (plain with { Scaling = RopeScaling.Linear, Factor = Factor(scaling) }, context),
            "dynamic" => Dynamic(file, scaling, plain, context),
            "llama3" => (Llama3(file, scaling, plain), context),
            "yarn" => Yarn(file, scaling, plain, context),
            "longrope" or "su" => LongRope(file, scaling, plain, context),
            _ => throw scaling.Unsupported(field, "default, linear, dynamic, llama3, yarn and longrope"),
        };
    }

    private static double Factor(ConfigFile scaling) => scaling.Number("factor", 1, MaxFactor);

    /// <summary>The scaling begins where the trained context ends, and serves a context that is longer by the factor.</summary>
    private static (RopeOptions, int) Dynamic(ConfigFile file, ConfigFile scaling, RopeOptions plain, int context)
    {
        if (plain.RotarySize < 4) throw file.Disagree($"dynamic rope scaling turns {plain.RotarySize} dimensions of a head, and its formula needs 4");
        RopeOptions rope = plain with { Scaling = RopeScaling.Dynamic, Factor = Factor(scaling), OriginalContextLength = context };
        return (rope, (int)Math.Min(context * rope.Factor, ConfigLimits.Context));
    }

    private static RopeOptions Llama3(ConfigFile file, ConfigFile scaling, RopeOptions plain)
    {
        double low = scaling.Number("low_freq_factor", 1e-6, MaxFactor), high = scaling.Number("high_freq_factor", 1e-6, MaxFactor);
        if (low >= high) throw file.Disagree($"rope_scaling's low_freq_factor is {low} and high_freq_factor {high}: the first must be less");
        return plain with
        {
            Scaling = RopeScaling.Llama3,
            Factor = Factor(scaling),
            LowFrequencyFactor = low,
            HighFrequencyFactor = high,
            OriginalContextLength = scaling.Int("original_max_position_embeddings", 1, ConfigLimits.Context),
        };
    }

    private static (RopeOptions, int) Yarn(ConfigFile file, ConfigFile scaling, RopeOptions plain, int context)
    {
        double factor = Factor(scaling), fast = scaling.Number("beta_fast", 1e-6, MaxFactor, YarnFastTurns), slow = scaling.Number("beta_slow", 1e-6, MaxFactor, YarnSlowTurns);
        if (slow >= fast) throw file.Disagree($"rope_scaling's beta_slow is {slow} and beta_fast {fast}: the first must be less");
        if (plain.Theta <= 1) throw file.Disagree($"rope_theta is {plain.Theta}, and yarn takes its logarithm: it must exceed 1");
        double own = scaling.Number("mscale", 0, MaxFactor, absent: 0), all = scaling.Number("mscale_all_dim", 0, MaxFactor, absent: 0);
        double attention = own > 0 && all > 0 ? Sharpness(factor, own) / Sharpness(factor, all) : Sharpness(factor, 1);
        int original = scaling.Int("original_max_position_embeddings", 1, ConfigLimits.Context, absent: context);
        RopeOptions rope = plain with
        {
            Scaling = RopeScaling.Yarn,
            Factor = factor,
            LowFrequencyFactor = slow,
            HighFrequencyFactor = fast,
            HasWholeBorders = scaling.Bool("truncate", true),
            OriginalContextLength = original,
            AttentionFactor = scaling.Number("attention_factor", 1e-6, MaxFactor, absent: attention),
        };
        return (rope, (int)Math.Min(Math.Max(context, original * factor), ConfigLimits.Context));
    }

    private static double Sharpness(double factor, double scale) => factor <= 1 ? 1 : 0.1 * scale * Math.Log(factor) + 1;

    /// <summary>
    /// The model has one set of factors for sequences within its original context and one for longer ones, and a sequence that grows past the
    /// border would have to be read again. The engine serves the original context, exactly.
    /// </summary>
    private static (RopeOptions, int) LongRope(ConfigFile file, ConfigFile scaling, RopeOptions plain, int context)
    {
        ConfigFile owner = file.Has("original_max_position_embeddings") ? file : scaling;
        int original = owner.Int("original_max_position_embeddings", 2, ConfigLimits.Context);
        double grown = file.Has("original_max_position_embeddings") ? (double)context / original : scaling.Number("factor", 1e-6, MaxFactor, absent: (double)context / original);
        double attention = grown <= 1 ? 1 : Math.Sqrt(1 + Math.Log(grown) / Math.Log(original));
        RopeOptions rope = plain with
        {
            Scaling = RopeScaling.PerPair,
            PairFactors = scaling.Numbers("short_factor", plain.RotarySize / 2, 1e-6, MaxFactor),
            OriginalContextLength = original,
            AttentionFactor = scaling.Number("attention_factor", 1e-6, MaxFactor, absent: attention),
        };
        return (rope, Math.Min(context, original));
    }
}
